/** What stands between two characters of a name, or before or behind it. */
type Place = (name: string, at: number) => boolean;

/** A regular expression as a tree. */
export type PatternNode =
  | { readonly kind: 'one'; readonly is: (character: string) => boolean }
  | { readonly kind: 'all'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'any'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'times'; readonly of: PatternNode; readonly least: number; readonly most: number }
  | { readonly kind: 'place'; readonly is: Place }
  | { readonly kind: 'look'; readonly of: PatternNode; readonly isBehind: boolean; readonly isNot: boolean };

/** Far deeper than anybody writes, and far from what a stack takes. */
const DEEPEST_GROUP = 64;

const PLACES: Readonly<Record<string, Place>> = {
  '^': (_, at) => at === 0,
  $: (name, at) => at === name.length,
  '\\b': (name, at) => isWord(name[at - 1]) !== isWord(name[at]),
  '\\B': (name, at) => isWord(name[at - 1]) === isWord(name[at]),
};
const PLACE = /\^|\$|\\[bB]/y;
const GROUP = /\((?:\?(?:(:)|(<?)([=!])|<[^>=!]+>))?/y;
/** Not `\1` and `\k`, which refer back. */
const ONE = /\[(?:[^\]\\]|\\[^])*\]|\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|c[A-Za-z]|0(?!\d)|[^\dk])|[^()|\\*+?]/y;
const TIMES = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;
const SIGNS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  '*': [0, Infinity],
  '+': [1, Infinity],
  '?': [0, 1],
};

/**
 * @param pattern that JavaScript takes for a regular expression
 * @throws SyntaxError for references back, and what is not described here
 */
export function parsePattern(pattern: string): PatternNode {
  let at = 0;
  const next = (what: RegExp): RegExpExecArray | undefined => {
    what.lastIndex = at;
    const found = what.exec(pattern) ?? undefined;
    at += found?.[0].length ?? 0;
    return found;
  };

  function any(depth: number): PatternNode {
    if (depth > DEEPEST_GROUP) throw new SyntaxError('nested too deeply');
    const of = [all(depth)];
    while (pattern[at] === '|') {
      at++;
      of.push(all(depth));
    }
    return { kind: 'any', of };
  }

  function all(depth: number): PatternNode {
    const of: PatternNode[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') of.push(repeated(piece(depth)));
    return { kind: 'all', of };
  }

  function repeated(of: PatternNode): PatternNode {
    const found = next(TIMES);
    if (found === undefined) return of;
    const [, sign = '', count = '', comma, to] = found;
    const [least, most] = SIGNS[sign] ?? [Number(count), comma === '' ? Number(count) : Number(to || Infinity)];
    return { kind: 'times', of, least, most };
  }

  function piece(depth: number): PatternNode {
    const place = next(PLACE);
    if (place !== undefined) return { kind: 'place', is: PLACES[place[0]] as Place };
    const group = next(GROUP);
    if (group === undefined) return one();
    const [, , behind, sign] = group;
    const of = any(depth + 1);
    if (pattern[at] !== ')') throw new SyntaxError('not read here');
    at++;
    return sign === undefined ? of : { kind: 'look', of, isBehind: behind === '<', isNot: sign === '!' };
  }

  function one(): PatternNode {
    const [text] = next(ONE) ?? [];
    if (text === undefined) throw new SyntaxError('not read here');
    if (text.length === 1 && text !== '.') return { kind: 'one', is: (character) => character === text };
    const kind = new RegExp(`^${text}$`);
    return { kind: 'one', is: (character) => kind.test(character) };
  }

  const whole = any(0);
  if (at < pattern.length) throw new SyntaxError('not read here');
  return whole;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character);
}
