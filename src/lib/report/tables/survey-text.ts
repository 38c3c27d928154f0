import type { ChalkInstance } from 'chalk';
import type { ContextTable, MacFinding } from '../../preflight/surveys/survey.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns, columnBlocks } from '../layout/columns.js';
import { cellsOf, paintMarks } from './cells.js';

type Rows = readonly (readonly string[])[];

/**
 * Requirement by context, a row each, and at the end the largest context that fits; columns that are too many for the width go
 * on below.
 */
export function contextTableText(table: ContextTable, width: number, colors: ChalkInstance): string {
  const unit = table.isPerSlot ? 'per slot' : 'context';
  const names = table.names.map((name) => (table.isPerSlot ? `${name} slot${name === '1' ? '' : 's'}` : name));
  const { cell, legend } = cellsOf(table.rows.flatMap(({ verdicts }) => verdicts));
  const body = table.rows.map(({ tokens, verdicts }) => [String(tokens), ...verdicts.map(cell)]);
  const last = ['largest', ...table.largest.map((tokens) => (tokens === undefined ? 'none' : String(tokens)))];
  const paint = (line: string, index: number): string =>
    index === 0 || index === body.length + 1 ? colors.bold(line) : paintMarks(line, colors);
  const blocks = columnBlocks([[unit, ...names], ...body, last], width);
  return [...blocks.flatMap((rows) => [...aligned(rows, paint), '']), ...legend].join('\n');
}

/** Which Macs run it: their budget, whether it fits as asked, and with what context at the most. */
export function macsText(macs: readonly MacFinding[], inUseBytes: number, colors: ChalkInstance): string {
  const nCtx = macs[0]?.verdict.estimate.resolved.nCtx;
  const head = ['Mac', 'budget', `at ${nCtx} tokens`, 'largest context'];
  const { cell, legend } = cellsOf(
    macs.map(({ verdict }) => verdict),
    'differ',
  );
  const rows = macs.map(({ gigabytes, verdict, largest }) => {
    const [limit] = verdict.limits;
    return [
      `${gigabytes}GB`,
      formatSize(Math.max(0, limit?.budget.bytes ?? 0)),
      cell(verdict),
      largest === undefined ? 'none' : String(largest),
    ];
  });
  return [
    ...aligned([head, ...rows], (line, index) => {
      if (index === 0) return colors.bold(line);
      const { kind } = macs[index - 1]?.verdict ?? {};
      return kind === 'does-not-fit' ? colors.dim(line) : line;
    }),
    '',
    `Default limits of macOS 15, the stricter ones; ${inUseBytes > 0 ? `${formatSize(inUseBytes)} in use` : 'nothing else in use'}.`,
    ...legend,
  ].join('\n');
}

function aligned(rows: Rows, paint: (line: string, index: number) => string): readonly string[] {
  const columns = [...(rows[0] ?? []).keys()];
  return alignColumns(rows, columns).map(paint);
}
