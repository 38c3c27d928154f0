/** A part of a catalogue's text that is a catalogue itself. */
export interface YamlPiece {
  readonly text: string;
  /** Lines of the whole text before the first one of this part that is also its own. */
  readonly linesBefore: () => number;
}

/** The parser's events of one piece are some hundred kilobytes, which are gone before the next; those of ten thousand entries are 60 MB. */
const PIECE_LENGTH = 2 ** 13;
/** What is parsed at once takes up to a quarter of a kilobyte for each. */
const MOST_MARKS_AT_ONCE = 150_000;
const MARKS: ReadonlySet<number> = new Set([...':,[{\n'].map((mark) => mark.charCodeAt(0)));
const HEAD = 'models:';
/** Behind a line's end, that of a line which is neither empty nor a comment. */
const CONTENT = /\n([^\S\n]*)[^\s#]/g;
/** The same, of a line that is not indented. */
const OUTSIDE = /\n(?! )[^\S\n]*[^\s#]/g;

/**
 * A catalogue's text, cut between entries where it is written as people and programs write it: one block mapping `models` and nothing
 * beside it. Undefined where it is short or is anything else. A piece with an alias of another one is no YAML: whoever parses them then takes
 * the whole.
 */
export function yamlPieces(text: string): Iterable<YamlPiece> | undefined {
  if (text.length <= PIECE_LENGTH) return undefined;
  const start = endOfHead(text);
  if (start === undefined || foundFrom(OUTSIDE, text, start) !== undefined) return undefined;
  const [, indent = ''] = foundFrom(CONTENT, text, start) ?? [];
  const entries = new RegExp(`\\n {${indent.length}}[\\w"'][^#\\n]*:(?=[ \\r\\n])`, 'g');
  const isPlain =
    /^ +$/.test(indent) && foundFrom(entries, text, start)?.index === foundFrom(CONTENT, text, start)?.index;
  return isPlain ? { [Symbol.iterator]: () => cut(text, start, entries) } : undefined;
}

/** Whether it takes too much memory to parse all of a text at once, by the marks that keys, values, lists and lines have. */
export function isLongForOnePiece(text: string): boolean {
  let marks = 0;
  for (let at = 0; at < text.length; at++) if (MARKS.has(text.charCodeAt(at))) marks++;
  return marks > MOST_MARKS_AT_ONCE;
}

/** Where the line `models:` ends, with nothing but comments and a document's mark before it. */
function endOfHead(text: string): number | undefined {
  const head = /(?<![^\n])models: *\r?(?=\n)/.exec(text);
  if (head === null) return undefined;
  const before = `\n${text.slice(0, head.index)}`.replaceAll(/\n---(?=\n)/g, '\n');
  return foundFrom(CONTENT, before, 0) === undefined ? head.index + head[0].length : undefined;
}

/** @param entries finds the end of the line before an entry */
function* cut(text: string, start: number, entries: RegExp): Generator<YamlPiece> {
  for (let from = start; from < text.length;) {
    const own = from;
    const end = foundFrom(entries, text, from + PIECE_LENGTH)?.index ?? text.length;
    yield { text: HEAD + text.slice(own, end), linesBefore: () => text.slice(0, own).split('\n').length - 1 };
    from = end;
  }
}

function foundFrom(pattern: RegExp, text: string, from: number): RegExpExecArray | undefined {
  pattern.lastIndex = from;
  return pattern.exec(text) ?? undefined;
}
