import type { ChalkInstance } from 'chalk';
import type { QuantizationRow, QuantizationTable } from '../../preflight/surveys/quantizations.js';
import { printable } from '../../printable.js';
import { alignColumns } from '../layout/columns.js';
import { formatSize } from '../words/bytes.js';
import { cell, LEGEND, paintMarks } from './cells.js';

const NOT_THERE = [
  "~ worked out from published sizes or by llama.cpp's recipe:",
  'publishers may leave it, and need not have published it.',
];
const ASKED = '*';
const NOT_READ = ['~ worked out from its size, for its header was not read.'];

/** A row a quantization: its size, what it takes, whether it fits, and with what context at the most. */
export function quantizationTableText({ origin, rows }: QuantizationTable, colors: ChalkInstance): string {
  const contexts = new Set(rows.flatMap(({ verdict }) => verdict?.estimate.resolved.nCtx ?? []));
  const at = contexts.size === 1 ? `at ${[...contexts].join('')} tokens` : 'as asked';
  const head = ['quantization', 'size', at, 'largest context'];
  const lines = alignColumns([head, ...rows.map(cells)], [1, 2, 3]);
  const legend = rows.some(({ isEstimated }) => isEstimated) ? (origin === 'recipe' ? NOT_THERE : NOT_READ) : [];
  const asked = rows.some(({ isAsked }) => isAsked) ? [`${ASKED} the one that was checked`] : [];
  const painted = lines.map((line, index) => {
    if (index === 0 || rows[index - 1]?.isAsked === true) return colors.bold(line);
    return paintMarks(line, colors);
  });
  return [...painted, '', ...asked, ...LEGEND, ...legend].join('\n');
}

function cells({
  quantization,
  fileBytes,
  isAsked,
  isEstimated,
  verdict,
  largest,
}: QuantizationRow): readonly string[] {
  const name = `${isEstimated ? '~ ' : ''}${printable(quantization)}${isAsked ? ` ${ASKED}` : ''}`;
  const size = fileBytes === undefined ? '?' : formatSize(fileBytes);
  return [name, size, cell(verdict), verdict === undefined ? '' : String(largest ?? 'none')];
}
