interface FlagLike {
  readonly type: string;
  readonly allowNo?: boolean | undefined;
  readonly char?: string | undefined;
}

const ASSIGNED = /^(?:--([a-z0-9-]+)|-([a-zA-Z]))=(.*)$/;
const TRUE_WORDS = new Set(['true', 'TRUE', 'True', 't', 'T', '1']);
const FALSE_WORDS = new Set(['false', 'FALSE', 'False', 'f', 'F', '0']);

/**
 * Scripts write `--wait=false`, which oclif takes for `--wait` and an argument. Rewrites such words to `--wait` or
 * `--no-wait`, and leaves out a false one that has no `--no-` form, since false is its default.
 */
export function spellBooleans(argv: readonly string[], flags: Readonly<Record<string, FlagLike>>): string[] {
  const end = argv.indexOf('--');
  const flagWords = end === -1 ? argv : argv.slice(0, end);
  return [...flagWords.flatMap((word) => respell(word, flags)), ...(end === -1 ? [] : argv.slice(end))];
}

function respell(word: string, flags: Readonly<Record<string, FlagLike>>): string[] {
  const [, long, char, value = ''] = ASSIGNED.exec(word) ?? [];
  const found = Object.entries(flags).find(([name, flag]) => (long === undefined ? flag.char === char : name === long));
  if (found === undefined || found[1].type !== 'boolean') return [word];
  const [name, { allowNo }] = found;
  if (TRUE_WORDS.has(value)) return [`--${name}`];
  if (FALSE_WORDS.has(value)) return allowNo ? [`--no-${name}`] : [];
  return [word];
}
