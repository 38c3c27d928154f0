/** A part of a catalogue's text that is a catalogue itself. */
export interface YamlPiece {
  readonly text: string;
  /** Lines of the whole text before the first one of this part that is also its own. */
  readonly linesBefore: number;
}

/** The parser's events of one piece are some megabytes; those of a whole catalogue of ten thousand entries are 60. */
const PIECE_LENGTH = 2 ** 15;
const HEAD = 'models:\n';
const HEAD_LINES = 1;

/**
 * A catalogue's text, cut between entries where it is written as people and programs write it: one block mapping `models` and nothing
 * beside it. Undefined where it is short or is anything else. A piece with an alias of another one is no YAML: whoever parses them then takes
 * the whole.
 */
export function yamlPieces(text: string): readonly YamlPiece[] | undefined {
  if (text.length <= PIECE_LENGTH) return undefined;
  const lines = text.split('\n');
  const head = lines.findIndex((line) => isContent(line) && line !== '---');
  if (head < 0 || !/^models: *$/.test(lines[head] ?? '')) return undefined;
  const first = lines.slice(head + 1).find(isContent) ?? '';
  const indent = first.length - first.trimStart().length;
  const begins = new RegExp(`^ {${indent}}[\\w"'][^#]*: *$`);
  if (indent === 0 || !begins.test(first)) return undefined;

  const pieces: YamlPiece[] = [];
  let start = head + 1;
  let length = 0;
  for (let at = start; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (isContent(line) && !line.startsWith(' ')) return undefined;
    if (length > PIECE_LENGTH && begins.test(line)) {
      pieces.push({ text: HEAD + lines.slice(start, at).join('\n'), linesBefore: start - HEAD_LINES });
      start = at;
      length = 0;
    }
    length += line.length + 1;
  }
  return [...pieces, { text: HEAD + lines.slice(start).join('\n'), linesBefore: start - HEAD_LINES }];
}

/** Neither empty nor a comment. */
const CONTENT = /^\s*[^\s#]/;

function isContent(line: string): boolean {
  return CONTENT.test(line);
}
