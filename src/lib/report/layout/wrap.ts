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

// eslint-disable-next-line no-control-regex
const COLOUR = /\u001b\[[\d;]*m/g;

/**
 * Text whose lines are at most `width` wide, as far as words allow: longer ones go on below where the text behind their label
 * begins. Lines of a command that goes on below by a backslash are to be copied, and stay as they are.
 */
export function foldLines(text: string, width: number, isWhole: (line: string) => boolean = () => false): string {
  const lines = text.split('\n');
  const goesOn = (line: string | undefined): boolean => line?.endsWith(' \\') === true;
  const stays = (line: string, index: number): boolean =>
    widthOf(line) <= width || goesOn(line) || goesOn(lines[index - 1]) || isWhole(line);
  return lines.flatMap((line, index) => (stays(line, index) ? [line] : foldLine(line, width))).join('\n');
}

/** Before a word that fits on a line, but not behind a label. */
const LONG_INDENT = '  ';

/** What stands before the text of a line, with the blanks after it; some labels leave room for one only. */
const LABEL =
  /^\s*(?:(?:Not checked|Estimated requirement|Available budget|Calculated for|Of each memory|Of the requirement):|GPU \d+(?=\s{2})|\S+:|\S+(?=\s{2})|llama\.cpp(?= )|projector(?= ))?\s*/;

function foldLine(line: string, width: number): string[] {
  const label = LABEL.exec(line)?.[0] ?? '';
  const indent = ' '.repeat(Math.min(widthOf(label), width / 2));
  const [before, column] = lastColumn(line.slice(label.length));
  // What is a column of its own is best kept whole.
  if (column !== undefined && widthOf(label + before) <= width && widthOf(indent + column) <= width)
    return [label + before, indent + column];
  const words = line.slice(label.length).split(' ');
  const lines = [label];
  let isEmpty = true;
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    const fits = widthOf(last) + (isEmpty ? 0 : 1) + widthOf(word) <= width;
    const own = LONG_INDENT + word;
    const needsOwn = !fits && widthOf(indent) + widthOf(word) > width && widthOf(own) <= width;
    if (needsOwn && last.trim() !== '') lines.splice(-1, 1, last.trimEnd(), own);
    else if (isEmpty || fits) lines[lines.length - 1] = isEmpty ? last + word : `${last} ${word}`;
    else lines.push(indent + word);
    isEmpty = false;
  }
  return lines;
}

/** What stands behind the last gap of several blanks, and what is before it. */
function lastColumn(text: string): readonly [before: string, column?: string] {
  const [, before = text, column] = /^(.*\S) {2,}(\S.*)$/.exec(text) ?? [];
  return column === undefined ? [before] : [before, column];
}

function widthOf(text: string): number {
  return [...text.replace(COLOUR, '')].length;
}
