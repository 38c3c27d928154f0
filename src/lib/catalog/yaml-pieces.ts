/** A part of a catalogue's text that is a catalogue itself. */
export interface YamlPiece {
  readonly text: string;
  /** Lines of the whole text before the first one of this part that is also its own. */
  readonly linesBefore: () => number;
}

/** The parser's events of one piece are some hundred kilobytes, which are gone before the next; those of ten thousand entries are 60 MB. */
const PIECE_LENGTH = 2 ** 13;
const HEAD = 'models:';
// Loops of patterns end, since those that go on for megabytes take more than the engine has.
/** Behind a line's end, that of a line which is neither empty nor a comment. */
const CONTENT = /\n([^\S\n]{0,1000})[^\s#]/g;
/** The same, of a line that is not indented. */
const OUTSIDE = /\n(?! )[^\S\n]{0,1000}[^\s#]/g;

/**
 * A catalogue's text, cut between entries where it is written as people and programs write it: one block mapping `models` and nothing
 * beside it. Undefined where it is short or is anything else. A piece with an alias of another one is no YAML: whoever parses them then takes
 * the whole.
 */
export function yamlPieces(text: string): Iterable<YamlPiece> | undefined {
  if (text.length <= PIECE_LENGTH) return undefined;
  const start = endOfHead(text);
  if (start === undefined || foundFrom(OUTSIDE, text, start) !== undefined) return undefined;
  const content = foundFrom(CONTENT, text, start);
  const [, indent = ''] = content ?? [];
  const entries = new RegExp(`\\n {${indent.length}}[\\w"'][^#\\n]{0,1000}:(?=[ \\r\\n])`, 'g');
  const first = foundFrom(entries, text, start)?.index;
  if (!/^ +$/.test(indent) || first === undefined || first !== content?.index) return undefined;
  return { [Symbol.iterator]: () => cut(text, start, first, entries) };
}

/** Where the line `models:` ends, with nothing but comments and a document's mark before it. */
function endOfHead(text: string): number | undefined {
  const head = /(?<![^\n])models: {0,1000}\r?(?=\n)/.exec(text);
  if (head === null) return undefined;
  const before = `\n${text.slice(0, head.index)}`.replaceAll(/\n---(?=\n)/g, '\n');
  return foundFrom(CONTENT, before, 0) === undefined ? head.index + head[0].length : undefined;
}

/**
 * @param first where the first entry's line begins, behind comments that may be long
 * @param entries finds the end of the line before an entry
 */
function* cut(text: string, start: number, first: number, entries: RegExp): Generator<YamlPiece> {
  for (let from = start; from < text.length;) {
    const own = from;
    const end = foundFrom(entries, text, Math.max(own, first) + PIECE_LENGTH)?.index ?? text.length;
    yield { text: HEAD + text.slice(own, end), linesBefore: () => text.slice(0, own).split('\n').length - 1 };
    from = end;
  }
}

function foundFrom(pattern: RegExp, text: string, from: number): RegExpExecArray | undefined {
  pattern.lastIndex = from;
  return pattern.exec(text) ?? undefined;
}
