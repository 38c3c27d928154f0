/** What js-yaml parses at once takes up to a quarter of a kilobyte for each. */
export const MOST_MARKS_AT_ONCE = 150_000;
const MARKS: ReadonlySet<number> = new Set([...':,[{\n'].map((mark) => mark.charCodeAt(0)));

/** Whether it takes too much memory to parse all of a YAML text at once, by the marks that keys, values, lists and lines have. */
export function isLongYaml(text: string): boolean {
  let marks = 0;
  for (let at = 0; at < text.length; at++) if (MARKS.has(text.charCodeAt(at))) marks++;
  return marks > MOST_MARKS_AT_ONCE;
}
