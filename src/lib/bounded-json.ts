/** Nothing that is read here is nested more than ten deep; what is deeper takes memory out of proportion to its length. */
const MAX_DEPTH = 64;

/**
 * `JSON.parse`, but for text that nests too deeply.
 * @throws SyntaxError
 */
export function parseBoundedJson(text: string): unknown {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++depth > MAX_DEPTH) throw new SyntaxError(`JSON nested more than ${MAX_DEPTH} deep`);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
  }
  return JSON.parse(text) as unknown;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = ['"', '\\', '[', ']', '{', '}'].map(
  (character) => character.charCodeAt(0),
);
