const PLAIN = /^[\x20-\x7e]*$/;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Longest piece of foreign text that a message repeats, in characters. */
const MAX_SHOWN_CHARACTERS = 120;

/**
 * Foreign text (a tensor name, a server's words) made safe for a terminal: control, bidirectional and other invisible
 * characters are shown as `\u{1b}`, long text is cut.
 */
export function printable(text: string): string {
  if (text.length <= MAX_SHOWN_CHARACTERS && PLAIN.test(text)) return text;
  const characters = [...text];
  const cut =
    characters.length > MAX_SHOWN_CHARACTERS ? `${characters.slice(0, MAX_SHOWN_CHARACTERS).join('')}…` : text;
  return cut.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
