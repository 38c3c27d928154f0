import { foldLines } from '../../report/layout/wrap.js';
import { terminalWidth } from './terminal-width.js';

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Text for people on a terminal, broken between words; scripts get their lines whole. */
export function folded(text: string, stream: Stream): string {
  return stream.isTTY === true ? foldLines(text, terminalWidth(stream)) : text;
}
