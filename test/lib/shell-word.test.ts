import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { quotedWords, shellWord } from '../../src/lib/shell-word.js';
import { splitWords } from '../../src/lib/runtime/server-arguments.js';

const PRINTABLE = [
  'a',
  'Z',
  '0',
  ' ',
  "'",
  '"',
  '$',
  '`',
  '\\',
  '!',
  '*',
  '?',
  '~',
  '#',
  '&',
  ';',
  '(',
  '=',
  '-',
  'é',
  '模',
];
const HIDDEN = ['\u001b', '\n', '\t', '\u0007', '\u202e', '\u200b', '\u2028', '\u009b'];

/** The same pieces in every run, in ever other orders. */
function texts(pieces: readonly string[], count: number): string[] {
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]).join(''),
  );
}

/** The words of a line, as a shell hands them to a program. */
function readBy(shell: string, line: string): string[] {
  const script = `show() { printf '%s\\0' "$@"; }\nshow ${line}\n`;
  return execFileSync(shell, [], { input: script, encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('a word is read by a shell as it is', () => {
  test.each(['sh', 'bash'])('by %s, whatever can be printed', (shell) => {
    const words = ['', '=ls', '~', '-', '--', ...texts(PRINTABLE, 300)];
    expect(readBy(shell, words.map(shellWord).join(' '))).toEqual(words);
  });

  test('by bash, and shows nothing that a terminal acts on', () => {
    const words = texts([...PRINTABLE, ...HIDDEN], 300);
    const line = words.map(shellWord).join(' ');
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(readBy('bash', line)).toEqual(words);
  });

  test('words within --extra-args, by the shell and then by the program', () => {
    for (const word of texts(PRINTABLE, 100)) {
      const line = quotedWords(`--spec-draft-model ${shellWord(word)}`);
      expect(readBy('sh', line).flatMap(splitWords)).toEqual(['--spec-draft-model', word]);
    }
  });
});
