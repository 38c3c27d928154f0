import { harmless } from '../../printable.js';

const GAP = '  ';
const NARROW_GAP = ' ';
const ASCII = /^[\x20-\x7e]*$/;

/** Rows as aligned lines, closer together where they are too wide otherwise. */
export function alignWithin(rows: readonly (readonly string[])[], right: readonly number[], width: number): string[] {
  return alignedInside(rows, right, width) ?? alignColumns(rows, right, NARROW_GAP);
}

/** Like `alignColumns`, or undefined where a line is wider than `width`: a table of thousands is not written out to find that. */
export function alignedInside(
  cells: readonly (readonly string[])[],
  right: readonly number[],
  width: number,
): string[] | undefined {
  const rows = cells.map((row) => row.map(harmless));
  const widths = columnWidths(rows);
  const lines: string[] = [];
  for (const row of rows) {
    const line = alignedLine(row, widths, right);
    if (lengthOf(line) > width) return undefined;
    lines.push(line);
  }
  return lines;
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

/** As many columns as the width holds behind the first one, then the next ones behind it again. */
export function columnBlocks(
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly (readonly string[])[])[] {
  const columns = rows[0]?.length ?? 0;
  const upTo = (end: number): readonly (readonly string[])[] => rows.map((row) => row.slice(0, end));
  let end = columns;
  while (end > 2 && alignedInside(upTo(end), [], width) === undefined) end--;
  if (end >= columns) return [rows];
  const rest = rows.map((row) => [row[0] ?? '', ...row.slice(end)]);
  return [upTo(end), ...columnBlocks(rest, width)];
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
export function lengthOf(text: string): number {
  return ASCII.test(text) ? text.length : [...text].length;
}
