/** Nothing that a shell reads otherwise; zsh looks for a program by a word that begins with `=`. */
const PLAIN = /^(?!=)[\w@%+=:,./-]+$/;
/** What a terminal acts on, or a person does not see. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** What a shell reads in double quotes. */
const SPECIAL_IN_QUOTES = /["$`\\!]/;

/** As a shell needs it to be one word; what cannot be printed is written as bash, zsh and ksh read it, `$'\x1b'`. */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!UNPRINTABLE.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = [...text].map((character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    return UNPRINTABLE.test(character) ? bytesOf(character) : character;
  });
  return `$'${escaped.join('')}'`;
}

function bytesOf(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Words that are one word of another command, such as the value of `--extra-args`. */
export function quotedWords(words: string): string {
  return SPECIAL_IN_QUOTES.test(words) || UNPRINTABLE.test(words) ? shellWord(words) : `"${words}"`;
}
