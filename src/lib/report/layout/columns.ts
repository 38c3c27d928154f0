import { harmless } from '../../printable.js';

const GAP = '  ';
const NARROW_GAP = ' ';
const ASCII = /^[\x20-\x7e]*$/;

/** Rows as aligned lines, closer together where they are too wide otherwise. */
export function alignWithin(rows: readonly (readonly string[])[], right: readonly number[], width: number): string[] {
  const lines = alignColumns(rows, right);
  return lines.every((line) => [...line].length <= width) ? lines : alignColumns(rows, right, NARROW_GAP);
}

/** Rows as aligned lines, a line each whatever the cells are made of; `right` names the columns whose cells end, rather than begin, below each other. */
export function alignColumns(
  cells: readonly (readonly string[])[],
  right: readonly number[] = [],
  gap = GAP,
): string[] {
  const rows = cells.map((row) => row.map(harmless));
  const widths = columnWidths(rows);
  return rows.map((row) => alignedLine(row, widths, right, gap));
}

/** Of the widest cell of each column, in characters. */
export function columnWidths(rows: Iterable<readonly string[]>): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell))));
  }
  return widths;
}

/** One row of those that were measured. */
export function alignedLine(
  row: readonly string[],
  widths: readonly number[],
  right: readonly number[],
  gap = GAP,
): string {
  let line = '';
  row.forEach((cell, column) => {
    const padding = ' '.repeat((widths[column] ?? 0) - lengthOf(cell));
    line += (column === 0 ? '' : gap) + (right.includes(column) ? padding + cell : cell + padding);
  });
  return line.trimEnd();
}

/** In characters. */
function lengthOf(cell: string): number {
  return ASCII.test(cell) ? cell.length : [...cell].length;
}
