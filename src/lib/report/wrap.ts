/** Lines of at most `width` characters, broken between words; a word that is longer has a line of its own. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Text behind a label, its further lines indented as far. */
export function hanging(label: string, words: readonly string[], width: number): string[] {
  const lines = wrapWords(words, Math.max(20, width - label.length));
  return lines.map((line, index) => (index === 0 ? label : ' '.repeat(label.length)) + line);
}
