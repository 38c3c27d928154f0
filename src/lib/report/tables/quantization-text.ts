import type { ChalkInstance } from 'chalk';
import type { QuantizationRow, QuantizationTable } from '../../preflight/surveys/quantizations.js';
import { unlessRefused } from '../../preflight/surveys/judge-or-refusal.js';
import { printable } from '../../printable.js';
import { alignColumns } from '../layout/columns.js';
import { formatSize } from '../words/bytes.js';
import { cellsOf, paintMarks, type Cells } from './cells.js';

const NOT_THERE = [
  "~ worked out from published sizes or by llama.cpp's recipe:",
  'publishers may leave it, and need not have published it.',
];
const ASKED = '*';
const NOT_READ = ['~ worked out from its size, for its header was not read.'];

/** A row a quantization: its size, what it takes, whether it fits, and with what context at the most. */
export function quantizationTableText({ origin, rows }: QuantizationTable, colors: ChalkInstance): string {
  const contexts = new Set(rows.flatMap(({ verdict }) => unlessRefused(verdict)?.estimate.resolved.nCtx ?? []));
  const at = contexts.size === 1 ? `at ${[...contexts].join('')} tokens` : 'as asked';
  // Where llama-server chooses, smaller weights have more of their layers on the GPU.
  const layers = new Set(rows.flatMap(({ verdict }) => unlessRefused(verdict)?.estimate.resolved.gpuLayers ?? []));
  const withLayers = layers.size > 1;
  const head = ['quantization', 'size', at, withLayers ? 'largest' : 'largest context', 'GPU layers'];
  const { cell, legend: marks } = cellsOf(rows.map(({ verdict }) => verdict));
  const table = [head, ...rows.map((row) => cells(row, cell))].map((row) => (withLayers ? row : row.slice(0, -1)));
  const lines = alignColumns(table, [1, 2, 3, 4]);
  const legend = rows.some(({ isEstimated }) => isEstimated) ? (origin === 'recipe' ? NOT_THERE : NOT_READ) : [];
  const asked = rows.some(({ isAsked }) => isAsked) ? [`${ASKED} the one that was checked`] : [];
  const painted = lines.map((line, index) => {
    if (index === 0 || rows[index - 1]?.isAsked === true) return colors.bold(line);
    return paintMarks(line, colors);
  });
  return [...painted, '', ...asked, ...marks, ...legend].join('\n');
}

function cells(
  { quantization, fileBytes, isAsked, isEstimated, verdict, largest }: QuantizationRow,
  cell: Cells['cell'],
): readonly string[] {
  const name = `${isEstimated ? '~ ' : ''}${printable(quantization)}${isAsked ? ` ${ASKED}` : ''}`;
  const size = fileBytes === undefined ? '?' : formatSize(fileBytes);
  const completed = unlessRefused(verdict);
  const layers = completed === undefined ? '' : String(completed.estimate.resolved.gpuLayers);
  return [name, size, cell(verdict), completed === undefined ? '' : String(largest ?? 'none'), layers];
}
