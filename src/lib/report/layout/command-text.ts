import { wrapWords } from './wrap.js';

const FURTHER = '    ';

/** A command that a shell takes as it stands, on as many lines as it needs. */
export function commandText(pieces: readonly string[], width: number, indent = ''): string {
  const room = Math.max(20, width - indent.length - FURTHER.length - ' \\'.length);
  return wrapWords(pieces, room)
    .map((line, index) => `${indent}${index === 0 ? '' : FURTHER}${line}`)
    .join(' \\\n');
}
