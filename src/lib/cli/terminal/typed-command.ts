import { shellWord } from '../../shell-word.js';
import { WHICH_FILE } from '../flags/command-line.js';

/** A flag as it was typed: its name, and its value, or for a switch the word itself. */
export interface RawToken {
  readonly type: string;
  readonly flag?: string;
  readonly input: string;
}

/** The words of a command with what was typed for another one, without the flags that are given anew or mean nothing. */
export function typedCommand(
  start: readonly string[],
  typed: readonly RawToken[],
  changed: readonly string[],
  isSwitch: (flag: string) => boolean,
): readonly string[] {
  const anew = new Set(changed.filter((flag) => !flag.startsWith('--extra-args')).map(nameOf));
  if (WHICH_FILE.some((flag) => anew.has(flag))) for (const flag of WHICH_FILE) anew.add(flag);
  const kept = typed.flatMap(({ flag, input }) => {
    if (flag === undefined || anew.has(flag)) return [];
    return isSwitch(flag) ? [input] : [`--${flag} ${shellWord(input.trim())}`];
  });
  return [...start, ...kept, ...changed];
}

function nameOf(flag: string): string {
  return flag.split(' ')[0]?.replace(/^--/, '') ?? '';
}
