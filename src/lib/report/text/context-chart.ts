import type { ChalkInstance } from 'chalk';
import type { CompletedVerdict, LimitCheck } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';
import { wrapWords } from '../layout/wrap.js';

const ROWS = 10;
const AXIS = 7;

export interface CurvePoint {
  readonly tokens: number;
  readonly verdict: CompletedVerdict;
}

/** A point held against one and the same limit, the one that decides at the longest context. */
interface LimitPoint {
  readonly tokens: number;
  readonly limit: LimitCheck | undefined;
}

/** How many points of a curve a chart of this width can show. */
export function chartColumns(width: number): number {
  return width - AXIS - 2;
}

/**
 * Memory by context, the budget as a line across: `*` where it fits, `x` where it does not. One point a column; in words
 * below.
 */
export function contextChart(
  curve: readonly CurvePoint[],
  largest: number | undefined,
  { columns, width, colors }: { columns: number; width: number; colors: ChalkInstance },
): string {
  const decisive = curve.at(-1)?.verdict.limits[0]?.name;
  const points: LimitPoint[] = curve.map(({ tokens, verdict }) => ({
    tokens,
    limit: verdict.limits.find(({ name }) => name === decisive),
  }));
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  const budget = budgetOf(last);
  const top = Math.max(budget, ...points.map(requiredBytes)) * 1.05;
  const rowOf = (bytes: number): number => Math.min(ROWS - 1, Math.max(0, Math.floor((bytes / top) * ROWS)));
  const heights = Array.from({ length: columns }, (_, column) => valueAt(points, column, columns));
  const budgetRow = rowOf(budget);
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const row = ROWS - 1 - index;
    const cells = heights.map(({ bytes, fits }) => {
      if (rowOf(bytes) === row) return fits ? colors.green('*') : colors.red('x');
      return row === budgetRow ? colors.yellow('-') : ' ';
    });
    return `${axisLabel(row, budgetRow, budget, top)}|${cells.join('').trimEnd()}`;
  });
  const range = `${first.tokens}`;
  const end = `${last.tokens} tokens`;
  const scale = `${' '.repeat(AXIS + 1)}${range}${' '.repeat(Math.max(1, columns - range.length - end.length))}${end}`;
  return [...lines, `${' '.repeat(AXIS)}+${'-'.repeat(columns)}`, scale, ...inWords(first, last, largest, width)].join(
    '\n',
  );
}

function axisLabel(row: number, budgetRow: number, budget: number, top: number): string {
  if (row === budgetRow) return formatSize(budget).padStart(AXIS);
  const isEdge = row === 0 || (row === ROWS - 1 && budgetRow !== row);
  return (isEdge ? (row === 0 ? '0GB' : formatSize(top)) : '').padStart(AXIS);
}

/** Between two points along the straight line through them. */
function valueAt(points: readonly LimitPoint[], column: number, columns: number): { bytes: number; fits: boolean } {
  const place = (column / Math.max(1, columns - 1)) * (points.length - 1);
  const [left, right] = [points[Math.floor(place)], points[Math.ceil(place)]];
  if (left === undefined || right === undefined) return { bytes: 0, fits: true };
  const share = place - Math.floor(place);
  const bytes = requiredBytes(left) * (1 - share) + requiredBytes(right) * share;
  return { bytes, fits: bytes <= budgetOf(left) };
}

function requiredBytes({ limit }: LimitPoint): number {
  return limit?.requiredBytes ?? 0;
}

function budgetOf({ limit }: LimitPoint): number {
  return Math.max(0, limit?.budget.bytes ?? 0);
}

function inWords(first: LimitPoint, last: LimitPoint, largest: number | undefined, width: number): string[] {
  const size = (point: LimitPoint): string => formatSize(requiredBytes(point));
  const all = largest === last.tokens;
  const fits = largest === undefined ? 'no context fits' : all ? 'every context fits' : `up to ${largest} tokens fit`;
  const text = `In words: ${size(first)} at ${first.tokens} tokens, ${size(last)} at ${last.tokens}; ${fits} the budget of ${formatSize(budgetOf(last))}.`;
  return wrapWords(text.split(' '), width);
}
