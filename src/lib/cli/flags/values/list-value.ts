/**
 * `a,b` as `a` and `b`; `"a,b",c` as `a,b` and `c`; `""` in quotes is one quote. As scripts wrote lists for earlier
 * versions of this command, which read them as one line of CSV.
 */
export function parseList(text: string): string[] {
  const items: string[] = [];
  let item = '';
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (quoted && character === '"' && text[index + 1] === '"') {
      item += '"';
      index += 1;
    } else if (character === '"' && (quoted || item === '')) {
      quoted = !quoted;
    } else if (character === ',' && !quoted) {
      items.push(item);
      item = '';
    } else {
      item += character;
    }
  }
  return [...items, item];
}
