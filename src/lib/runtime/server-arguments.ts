import { LlmkubeError, UsageError } from '../errors.js';
import { addedUp } from './device-options.js';
import {
  isTrueWord,
  normaliseOptionName,
  SERVER_OPTIONS,
  serverOption,
  type LaunchPatch,
  type ServerOption,
} from './server-options.js';
import type { LlamaCpp } from './llama-cpp.js';
import { refuseForeignOption } from './version-options.js';
import { unmodelledOption, type UnmodelledEffect } from './unmodelled-options.js';

/** A remark on an option that could not be taken into account. */
export interface ServerOptionRemark {
  readonly effect: UnmodelledEffect;
  readonly text: string;
}

export interface ServerArguments {
  readonly options: LaunchPatch;
  readonly remarks: readonly ServerOptionRemark[];
}

/**
 * The memory-relevant options in llama-server's own command line, read as `common_params_parse_ex` in
 * `common/arg.cpp` of llama.cpp v0.5.0 reads it: the last one wins, options without effect on memory are stepped over.
 * @throws UsageError INVALID_SERVER_OPTION, and OPTION_NOT_IN_VERSION where a version is given that has no such option
 */
export function parseServerArguments(words: readonly string[], version?: LlamaCpp): ServerArguments {
  const remarks: ServerOptionRemark[] = [];
  let patch: LaunchPatch = {};
  for (let i = 0; i < words.length; i++) {
    const [name, attached] = splitAttached(words[i] ?? '');
    if (version) refuseForeignOption(name, version);
    const unmodelled = unmodelledOption(name);
    if (unmodelled) remarks.push({ effect: unmodelled.effect, text: `${name} ${unmodelled.consequence}` });
    const option = serverOption(name);
    if (option === undefined) continue;
    if (attached !== undefined) remarks.push(attachedRemark(name, attached));
    const value = option.takesValue ? (attached ?? words[++i]) : option.off?.includes(name) ? 'off' : 'on';
    patch = addedUp(patch, applied(name, value, option.patch));
  }
  return { options: patch, remarks };
}

/** The same options as llama-server takes them from `LLAMA_ARG_*` environment variables; its command line wins over them. */
export function parseServerEnvironment(env: Readonly<Record<string, string | undefined>>): ServerArguments {
  let patch: LaunchPatch = {};
  for (const option of SERVER_OPTIONS) {
    const name = `LLAMA_ARG_${option.env}`;
    const value = option.env === undefined ? undefined : isNegated(option, env) ? 'off' : env[name];
    if (value !== undefined)
      patch = addedUp(patch, applied(name, option.takesValue || isTrueWord(value) ? value : 'off', option.patch));
  }
  return { options: patch, remarks: [] };
}

/** `common_arg::get_value_from_env`: an option that can be negated is by `LLAMA_ARG_NO_*`, whatever that is set to. */
function isNegated({ off, env: name }: ServerOption, env: Readonly<Record<string, string | undefined>>): boolean {
  return (off?.length ?? 0) > 0 && env[`LLAMA_ARG_NO_${name}`] !== undefined;
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

function applied(name: string, value: string | undefined, patch: (value: string) => LaunchPatch): LaunchPatch {
  if (value === undefined) throw new UsageError('INVALID_SERVER_OPTION', `llama-server's ${name} expects a value`);
  try {
    return patch(value);
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    throw new UsageError(error.code, `llama-server's ${name} ${error.message}`);
  }
}
