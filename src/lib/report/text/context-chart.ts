import type { ChalkInstance } from 'chalk';
import { sameLimit, type CompletedVerdict, type LimitCheck } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';
import { wrapWords } from '../layout/wrap.js';

const ROWS = 10;
const AXIS = 7;

export interface CurvePoint {
  readonly tokens: number;
  readonly verdict: CompletedVerdict;
}

/** A point held against one and the same limit. */
interface LimitPoint {
  readonly tokens: number;
  readonly limit: LimitCheck | undefined;
}

/** The limit that all points of a curve are held against: the one that decides at the longest context. */
export function limitOfCurve(curve: readonly CurvePoint[]): LimitCheck | undefined {
  return curve.at(-1)?.verdict.limits[0];
}

/** How many points of a curve a chart of this width can show. */
export function chartColumns(width: number): number {
  return width - AXIS - 2;
}

/**
 * Memory by context under one limit, its budget as a line across: `*` where the launch fits, `x` where it does not. One point a column; in
 * words below.
 * @param largest the most tokens that fit under every limit
 */
export function contextChart(
  curve: readonly CurvePoint[],
  largest: number | undefined,
  { columns, width, colors }: { columns: number; width: number; colors: ChalkInstance },
): string {
  const decisive = limitOfCurve(curve);
  const points: LimitPoint[] = curve.map(({ tokens, verdict }) => ({
    tokens,
    limit: decisive && sameLimit(verdict.limits, decisive),
  }));
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  const budget = budgetOf(last);
  const top = Math.max(budget, ...points.map(requiredBytes)) * 1.05;
  const rowOf = (bytes: number): number => Math.min(ROWS - 1, Math.max(0, Math.floor((bytes / top) * ROWS)));
  const heights = Array.from({ length: columns }, (_, column) => {
    const { tokens, bytes } = valueAt(points, column, columns);
    return { bytes, fits: tokens <= (largest ?? 0) };
  });
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
function valueAt(points: readonly LimitPoint[], column: number, columns: number): { tokens: number; bytes: number } {
  const place = (column / Math.max(1, columns - 1)) * (points.length - 1);
  const [left, right] = [points[Math.floor(place)], points[Math.ceil(place)]];
  if (left === undefined || right === undefined) return { tokens: 0, bytes: 0 };
  const share = place - Math.floor(place);
  const between = (a: number, b: number): number => a * (1 - share) + b * share;
  return { tokens: between(left.tokens, right.tokens), bytes: between(requiredBytes(left), requiredBytes(right)) };
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
  const budget = formatSize(budgetOf(last));
  const { limit } = last;
  const isAlone = limit === undefined || (limit.name === 'memory' && limit.hostOnly !== true);
  const held = `${size(first)} at ${first.tokens} tokens, ${size(last)} at ${last.tokens}`;
  const text = isAlone
    ? `In words: ${held}; ${fits} the budget of ${budget}.`
    : `In words, for ${limitLabel(limit)}: ${held}, of ${budget}; ${fits}, all memories considered.`;
  return wrapWords(text.split(' '), width);
}
