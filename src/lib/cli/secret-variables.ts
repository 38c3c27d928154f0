import { wordsWithoutSecrets } from '../secrets.js';
import { shellWord } from '../shell-word.js';
import { splitWords } from '../runtime/server-arguments.js';
import type { RawToken } from './terminal/typed-command.js';

/** Variables that llama-server reads what is secret from: `set_env` in `common/arg.cpp` (llama.cpp v0.5.0). */
const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['--api-key', 'LLAMA_API_KEY'],
  ['--hf-token', 'HF_TOKEN'],
  ['-hft', 'HF_TOKEN'],
]);

interface WithoutSecrets {
  readonly words: readonly string[];
  /** Which variables are to hold what was taken out. */
  readonly variables: readonly string[];
}

/** Words of llama-server without those that are secret, and without the options in front of them. */
export function secretsAsVariables(words: readonly string[]): WithoutSecrets {
  const kept: string[] = [];
  const variables = new Set<string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [name = ''] = word.split('=', 1);
    const variable = VARIABLES.get(name);
    if (variable === undefined) kept.push(word);
    else {
      variables.add(variable);
      if (name === word) at++;
    }
  }
  return { words: kept, variables: [...variables] };
}

/** Assignments in front of a command, which a shell refuses to run while such a variable is not set. */
export function assignments(variables: readonly string[]): readonly string[] {
  return variables.map((name) => `${name}="${reference(name)}"`);
}

/** A deploy's flags as they were typed, which hand secrets to the service by its variables, and flags for these. */
export function deployedSecrets(typed: readonly RawToken[]): {
  readonly typed: readonly RawToken[];
  readonly flags: readonly string[];
} {
  const variables = new Set<string>();
  const kept = typed.flatMap((token): readonly RawToken[] => {
    if (token.flag !== 'extra-args') return [token];
    const { words, variables: found } = secretsAsVariables(splitWords(token.input));
    if (found.length === 0) return [token];
    for (const name of found) variables.add(name);
    return words.length === 0 ? [] : [{ ...token, input: words.map(shellWord).join(' ') }];
  });
  return { typed: kept, flags: [...variables].map((name) => `--env "${name}=${reference(name)}"`) };
}

function reference(name: string): string {
  return `\${${name}:?}`;
}

/** What is to be done before a printed command can be run, a sentence each. */
export function secretNotes(pieces: readonly string[]): readonly string[] {
  const names = [...new Set(VARIABLES.values())].filter((name) =>
    pieces.some((piece) => piece.includes(reference(name))),
  );
  const isHidden = wordsWithoutSecrets(pieces).some((piece, index) => piece !== pieces[index]);
  return [
    ...names.map((name) => `set ${name} before running the command: what was given is secret and does not stand in it`),
    ...(isHidden ? ['what is secret is printed as ***: put it back before running the command'] : []),
  ];
}
