/** Nothing that is read here is nested more than ten deep; what is deeper takes memory out of proportion to its length. */
const MAX_DEPTH = 64;
/** A header of 65536 tensors has fewer; `[],[],[]…` takes some fifty bytes of memory for three of text. */
const MAX_VALUES = 500_000;

export class TooManyValues extends SyntaxError {}

/**
 * `JSON.parse`, but for text that nests too deeply or holds too many values.
 * @throws SyntaxError, TooManyValues
 */
export function parseBoundedJson(text: string, mostValues = MAX_VALUES): unknown {
  let depth = 0;
  let values = 1;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      values++;
      if (++depth > MAX_DEPTH) throw new SyntaxError(`JSON nested more than ${MAX_DEPTH} deep`);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
    else if (code === COMMA) values++;
  }
  if (values > mostValues) throw new TooManyValues(`JSON of more than ${mostValues} values`);
  return JSON.parse(text) as unknown;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, COMMA] = [
  '"',
  '\\',
  '[',
  ']',
  '{',
  '}',
  ',',
].map((character) => character.charCodeAt(0));
