import { quantizationInName } from '../../gguf/names/file-name.js';
import { nearest } from '../../nearest.js';
import { LlmkubeError, UsageError } from '../../errors.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { table } from '../../table.js';

interface OclifParseError extends Error {
  readonly oclif?: object;
  readonly args?: readonly { readonly name: string }[];
}

// eslint-disable-next-line no-control-regex
const COLOUR = /\u001b\[[\d;]*m/g;

/** What oclif puts around an error that a flag's own parser has thrown. */
const OCLIF_FRAME = /^Parsing --\S+ \n\t(.*)\nSee more help with --help$/s;

/** oclif's own sentences, and how this program says the same in one line. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^Parsing (--\S+) (?:Expected an integer but received: )(.*)$/, '$1 "$2" is not a whole number'],
  [/^Parsing (--\S+) (?:Expected an integer )(.*) but received: (.*)$/, '$1 $3 is not $2'],
  [/^Expected (--[\w-]+)=(.*) to be one of: (.*)$/, '$1 "$2" is not one of $3'],
  [/^Expected (.*) to be one of: (.*)$/, '"$1" is not one of $2'],
  [/^Unexpected arguments?: (.*)$/, 'there is no place for $1'],
  [/^The following errors? occurred: /, ''],
  [/^(--[\w-]+)=.* cannot also be provided when using (--[\w-]+)$/, '$1 and $2 are two answers: leave one of them out'],
];

/** What people call an accelerator, by what it is called here. */
const ACCELERATOR_NAMES = table<Accelerator>({
  sycl: 'intel',
  oneapi: 'intel',
  hip: 'rocm',
  amd: 'rocm',
  nvidia: 'cuda',
  apple: 'metal',
  mps: 'metal',
  mtl: 'metal',
});

/**
 * What oclif has against a command line, in one line; with the variable's name where a flag was not typed.
 * @param variables the environment variable that a flag comes from
 */
export function flagError(error: unknown, variables: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof LlmkubeError) {
    const message = inVariables(error.message.replace(OCLIF_FRAME, '$1'), variables);
    return message === error.message || !(error instanceof UsageError)
      ? error
      : new UsageError(error.code, message, error.options);
  }
  const { oclif, args } = error as OclifParseError;
  if (oclif === undefined) return error;
  const problem = args === undefined ? oneLine(error.message) : missing(args, error);
  return new UsageError('USAGE', inVariables(problem, variables), {
    suggestions: [...(meantBy(problem) ?? []), 'see the same command with --help'],
  });
}

/** What a value that a flag does not have, or a stray word, may stand for. */
function meantBy(problem: string): string[] | undefined {
  const stray = /^there is no place for (\S+)$/.exec(problem)?.[1];
  if (stray !== undefined && quantizationInName(`-${stray}`) !== undefined) return [`say --quantization ${stray}`];
  const [, flag, typed = '', list = ''] = /^(--\S+) "([^"]*)" is not one of (.*)$/.exec(problem) ?? [];
  if (flag === undefined) return undefined;
  const accelerator = flag === '--accelerator' ? ACCELERATOR_NAMES[typed.toLowerCase()] : undefined;
  const meant = accelerator === undefined ? nearest(typed, list.split(', ')) : [accelerator];
  return meant.length === 0 ? undefined : [`did you mean ${flag} ${meant.join(' or ')}?`];
}

function oneLine(text: string): string {
  const line = text
    .replace(COLOUR, '')
    .replace(/\n?See more help with --help$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return SENTENCES.reduce((sentence, [pattern, ours]) => sentence.replace(pattern, ours), line);
}

function missing(args: readonly { readonly name: string }[], error: Error): string {
  const names = args.flatMap(({ name }) => (typeof name === 'string' ? [name.toUpperCase()] : []));
  return names.length === 0 || !error.message.startsWith('Missing')
    ? oneLine(error.message)
    : `${names.join(' and ')} is missing`;
}

function inVariables(message: string, variables: ReadonlyMap<string, string>): string {
  return [...variables].reduce(
    (text, [flag, variable]) => text.replace(new RegExp(`--${flag}(?![\\w-])`, 'g'), variable),
    message,
  );
}
