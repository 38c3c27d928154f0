import { foldLines } from '../../report/layout/wrap.js';

const USUAL = 80;
const LEAST = 40;
const MOST = 120;

/** Columns to write for: the terminal's, or those of `COLUMNS`, or else 80; between 40 and 120. */
export function terminalWidth(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  const known = (stream.isTTY === true && stream.columns) || Number(process.env.COLUMNS) || USUAL;
  return Math.min(MOST, Math.max(LEAST, known));
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Text for people on a terminal, broken between words; scripts get their lines whole. */
export function folded(text: string, stream: Stream): string {
  return stream.isTTY === true ? foldLines(text, terminalWidth(stream)) : text;
}
