import { foldLines } from '../../report/layout/wrap.js';

const USUAL = 80;
const LEAST = 40;
const MOST = 120;

/** Columns to write for: the terminal's, or those of `COLUMNS`, or else 80; between 40 and 120. */
export function terminalWidth(stream: Stream): number {
  const known = (stream.isTTY === true && stream.columns) || asked() || USUAL;
  return Math.min(MOST, Math.max(LEAST, known));
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The same where somebody reads it, on a terminal or with `COLUMNS`; undefined for scripts, which get every line whole. */
export function widthIfRead(stream: Stream): number | undefined {
  return stream.isTTY === true || asked() > 0 ? terminalWidth(stream) : undefined;
}

/** An error and what is said of it, which scripts may look for. */
const FOR_SCRIPTS =
  /^(?:Error|Warning): |^ {2}(?:Estimated requirement|Available budget|Suggestion|Reason|Calculated for): /;

/**
 * Text for people, broken between words on a terminal, and where `COLUMNS` says how wide; there, errors stay whole. Scripts that do not say
 * it get every line whole.
 */
export function folded(text: string, stream: Stream): string {
  const width = widthIfRead(stream);
  if (width === undefined) return text;
  return foldLines(text, width, (line) => stream.isTTY !== true && FOR_SCRIPTS.test(line));
}

function asked(): number {
  return Number(process.env.COLUMNS) || 0;
}
