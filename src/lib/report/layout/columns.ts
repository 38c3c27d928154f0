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
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - lengthOf(cell));
        return right.includes(column) ? padding + cell : cell + padding;
      })
      .join(gap)
      .trimEnd(),
  );
}

/** In characters. */
function lengthOf(cell: string): number {
  return ASCII.test(cell) ? cell.length : [...cell].length;
}
