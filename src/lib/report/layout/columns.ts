const GAP = '  ';
const NARROW_GAP = ' ';
const ASCII = /^[\x20-\x7e]*$/;

/** Rows as aligned lines, closer together where they are too wide otherwise. */
export function alignWithin(rows: readonly (readonly string[])[], right: readonly number[], width: number): string[] {
  const lines = alignColumns(rows, right);
  return lines.every((line) => [...line].length <= width) ? lines : alignColumns(rows, right, NARROW_GAP);
}

/** Rows as aligned lines; `right` names the columns whose cells end, rather than begin, below each other. */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[] = [], gap = GAP): string[] {
  const lengths = rows.map((row) => row.map(lengthOf));
  const widths: number[] = [];
  for (const row of lengths) row.forEach((length, column) => (widths[column] = Math.max(widths[column] ?? 0, length)));
  const isRight = widths.map((_, column) => right.includes(column));
  return rows.map((row, at) => {
    let line = '';
    row.forEach((cell, column) => {
      const padding = ' '.repeat((widths[column] ?? 0) - (lengths[at]?.[column] ?? 0));
      line += (column === 0 ? '' : gap) + (isRight[column] === true ? padding + cell : cell + padding);
    });
    return line.trimEnd();
  });
}

/** In characters. */
function lengthOf(cell: string): number {
  return ASCII.test(cell) ? cell.length : [...cell].length;
}
