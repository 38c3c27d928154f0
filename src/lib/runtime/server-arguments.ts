import { LlmkubeError, UsageError } from '../errors.js';
import { addedUp } from './options/device-options.js';
import { parseKvOverrides, type KvOverride } from './options/kv-overrides.js';
import { nearest } from '../nearest.js';
import { serverOptionNames, valueCount } from './options/option-names.js';
import { presetPatch } from './options/preset-options.js';
import { isTrueWord } from './options/option-values.js';
import {
  normaliseOptionName,
  SERVER_OPTIONS,
  serverOption,
  type LaunchPatch,
  type ServerOption,
} from './options/server-options.js';
import type { LlamaCpp } from './llama-cpp.js';
import { refuseForeignOption } from './options/version-options.js';
import { ANOTHER_MODEL, unmodelledOption, type UnmodelledEffect } from './options/unmodelled-options.js';

/** A remark on an option that could not be taken into account. */
export interface ServerOptionRemark {
  readonly effect: UnmodelledEffect;
  readonly text: string;
}

export interface ServerArguments {
  readonly options: LaunchPatch;
  readonly remarks: readonly ServerOptionRemark[];
  /** What is read in place of the header's values. */
  readonly overrides: readonly KvOverride[];
}

/**
 * The memory-relevant options in llama-server's own command line, read as `common_params_parse_ex` in
 * `common/arg.cpp` of llama.cpp v0.5.0 reads it: the last one wins, options without effect on memory are stepped over.
 * @throws UsageError INVALID_SERVER_OPTION, also for an option that llama-server does not have, and OPTION_NOT_IN_VERSION for
 *   one that the given version does not have
 */
export function parseServerArguments(words: readonly string[], version?: LlamaCpp): ServerArguments {
  const remarks: ServerOptionRemark[] = [];
  const overrides: KvOverride[] = [];
  let patch: LaunchPatch = {};
  let i = 0;
  while (i < words.length) {
    const [name, attached] = splitAttached(words[i] ?? '');
    const count = valueCount(name);
    if (count === undefined) throw unknownOption(words[i] ?? '');
    if (version) refuseForeignOption(name, version);
    const values = attached === undefined ? words.slice(i + 1, i + 1 + count) : [attached];
    i += attached === undefined ? 1 + count : 1;
    if (values.length < count) throw invalid(name, 'expects a value');
    if (attached !== undefined) remarks.push(attachedRemark(name, attached));
    const unmodelled = unmodelledOption(name);
    if (unmodelled) remarks.push({ effect: unmodelled.effect, text: `${name} ${unmodelled.consequence}` });
    const preset = presetPatch(name);
    if (preset) remarks.push({ effect: 'adds', text: `${name} ${ANOTHER_MODEL}` });
    if (name === '--override-kv') overrides.push(...named(name, () => parseKvOverrides(values[0] ?? '')));
    const option = serverOption(name);
    const value = option?.takesValue === false ? (option.off?.includes(name) ? 'off' : 'on') : (values[0] ?? '');
    if (preset) patch = { ...patch, ...preset };
    if (option)
      patch = addedUp(
        patch,
        named(name, () => option.patch(value)),
      );
  }
  return { options: patch, remarks, overrides };
}

function unknownOption(word: string): UsageError {
  const [name] = splitAttached(word);
  const meant = nearest(name, serverOptionNames());
  const problem = word.startsWith('-')
    ? `llama-server has no option ${name}`
    : `llama-server takes no word like "${word}"`;
  return new UsageError('INVALID_SERVER_OPTION', problem, {
    suggestions: meant.length > 0 && word.startsWith('-') ? [`did you mean ${meant.join(' or ')}?`] : [],
  });
}

/** The same options as llama-server takes them from `LLAMA_ARG_*` environment variables; its command line wins over them. */
export function parseServerEnvironment(env: Readonly<Record<string, string | undefined>>): ServerArguments {
  let patch: LaunchPatch = {};
  for (const option of SERVER_OPTIONS) {
    const name = option.env ?? '';
    const value = name === '' ? undefined : isNegated(option, env) ? 'off' : env[name];
    if (value !== undefined)
      patch = addedUp(
        patch,
        named(name, () => option.patch(option.takesValue || isTrueWord(value) ? value : 'off')),
      );
  }
  return { options: patch, remarks: [], overrides: [] };
}

/** `common_arg::get_value_from_env`: an option that can be negated is by `LLAMA_ARG_NO_*`, whatever that is set to. */
function isNegated({ off, env: name = '' }: ServerOption, env: Readonly<Record<string, string | undefined>>): boolean {
  return (off?.length ?? 0) > 0 && env[name.replace('LLAMA_ARG_', 'LLAMA_ARG_NO_')] !== undefined;
}

/** Splits text as a shell would, without expanding anything: blanks separate, quotes and backslashes protect. */
export function splitWords(text: string): string[] {
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return words.map((word) =>
    word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_all, escaped, double, single) =>
      String(escaped ?? double?.replace(/\\(.)/gs, '$1') ?? single),
    ),
  );
}

function splitAttached(word: string): [name: string, value: string | undefined] {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const name = normaliseOptionName(equals < 0 ? word : word.slice(0, equals));
  return [name, equals < 0 ? undefined : word.slice(equals + 1)];
}

function attachedRemark(name: string, value: string): ServerOptionRemark {
  return { effect: 'shifts', text: `llama-server does not accept ${name}=${value}: write it as ${name} ${value}` };
}

/** What is wrong with a value, with the name of its option in front. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    throw new UsageError(error.code, `llama-server's ${name} ${error.message}`);
  }
}

function invalid(name: string, problem: string): UsageError {
  return new UsageError('INVALID_SERVER_OPTION', `llama-server's ${name} ${problem}`);
}
