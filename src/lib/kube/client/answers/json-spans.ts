/** Where a value is in JSON text: its first character, and the one behind its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Where the values of some keys of an object are, without making anything of the others: JSON of a megabyte may hold hundreds of thousands.
 * What is no JSON is not found out here; of a key that is there twice the last counts, as in `JSON.parse`.
 * @param at of the object; the whole text unless said otherwise
 */
export function jsonMembers<K extends string>(
  text: string,
  keys: readonly K[],
  at: Span = { from: 0, to: text.length },
): Partial<Record<K, Span>> {
  const wanted = new Set<string>(keys);
  const found: Partial<Record<string, Span>> = {};
  let from = skipSpace(text, at.from);
  if (text[from] !== '{') return found as Partial<Record<K, Span>>;
  while (from < at.to && text[from] !== '}') {
    const key = skipSpace(text, from + 1);
    const colon = skipSpace(text, endOfValue(text, key, at.to));
    const value = skipSpace(text, colon + 1);
    if (text[key] !== '"' || text[colon] !== ':') break;
    const to = endOfValue(text, value, at.to);
    const longest = key + MAX_KEY_LENGTH;
    const name = text.slice(key + 1, Math.min(longest, text.indexOf('"', key + 1)));
    if (wanted.has(name)) found[name] = { from: value, to };
    from = skipSpace(text, to);
    if (text[from] !== ',') break;
  }
  return found as Partial<Record<K, Span>>;
}

/** Where the items of a list are, one after the other. */
export function* jsonItems(text: string, at: Span): Generator<Span> {
  let from = skipSpace(text, at.from);
  if (text[from] !== '[' || text[skipSpace(text, from + 1)] === ']') return;
  do {
    const item = skipSpace(text, from + 1);
    const to = endOfValue(text, item, at.to);
    yield { from: item, to };
    from = skipSpace(text, to);
  } while (from < at.to && text[from] === ',');
}

/** Whether all that is opened in JSON text is closed. */
export function isClosed(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfQuote(text, at, text.length);
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
  }
  return depth === 0;
}

/** Longer than any that is asked for. */
const MAX_KEY_LENGTH = 100;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return at;
}

/** Behind a value: behind its last quote or bracket, or where what parts values begins. */
function endOfValue(text: string, from: number, end: number): number {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfQuote(text, at, end);
      if (depth === 0) return at + 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth <= 1) return depth === 1 ? at + 1 : at;
      depth--;
    } else if (depth === 0 && (character === ',' || character === ':')) return at;
  }
  return end;
}

function endOfQuote(text: string, from: number, end: number): number {
  let at = from + 1;
  while (at < end && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
