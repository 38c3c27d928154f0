import type { ChalkInstance } from 'chalk';
import type { CheckedEntry } from '../../preflight/catalog/checked-entry.js';
import { headroomBytes, type LimitCheck, type VerdictKind } from '../../preflight/judge/verdict.js';
import { printable } from '../../printable.js';
import { explainBudget } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';
import { alignColumns, alignedInside } from '../layout/columns.js';
import { wrapWords } from '../layout/wrap.js';
import { notCheckedLines } from '../words/not-checked.js';
import { sharedNotes } from '../words/shared-notes.js';

const HEAD = ['ID', 'QUANT', 'CONTEXT', 'NEEDS', 'VERDICT', 'TO SPARE', 'LARGEST CONTEXT'];
const SHORT_HEAD = ['ID', 'QUANT', 'CONTEXT', 'NEEDS', 'VERDICT', 'SPARE', 'LARGEST'];
interface TableShape {
  readonly head: readonly string[];
  /** What is left out: what the others tell, too, or what is asked about least. */
  readonly without: readonly number[];
}

const NARROWEST: TableShape = { head: SHORT_HEAD, without: [1, 2, 5] };
/** The widest first. */
const SHAPES: readonly TableShape[] = [
  { head: HEAD, without: [] },
  { head: SHORT_HEAD, without: [] },
  { head: SHORT_HEAD, without: [1, 5] },
  NARROWEST,
];
const RIGHT = ['CONTEXT', 'NEEDS', 'TO SPARE', 'SPARE', 'LARGEST CONTEXT', 'LARGEST'];
const WORDS: Readonly<Record<VerdictKind, string>> = {
  fits: 'fits',
  tight: 'tight',
  'does-not-fit': 'does not fit',
  unknown: 'not checked',
};

/** One line an entry, as much of it as the width holds, then the budgets that they were held against and how many came out how. */
export function catalogCheckTable(checks: readonly CheckedEntry[], width: number, colors: ChalkInstance): string {
  const holders = new Set(checks.flatMap(({ verdict }) => decisive(verdict).map(limitLabel)));
  const withHolder = [...holders].some((holder) => holder !== 'memory');
  const [head = '', ...lines] = linesWithin(
    checks.map((check) => cells(check, withHolder)),
    width,
  );
  const painted = lines.map((line, index) => paint(checks[index]?.verdict.kind, colors)(line));
  const table = checks.length === 0 ? ['No entry is left to show.'] : [colors.bold(head), ...painted];
  const below = [
    ...budgets(checks).map((line) => wrapWords(line.split(' '), width).join('\n')),
    ...versionsLine(checks),
    summary(checks),
  ];
  return [...table, '', ...below].join('\n').trimEnd();
}

function linesWithin(rows: readonly (readonly string[])[], width: number): readonly string[] {
  for (const shape of SHAPES) {
    const lines = alignedInside(...shaped(rows, shape), width);
    if (lines !== undefined) return lines;
  }
  return alignColumns(...shaped(rows, NARROWEST));
}

/** The table under its head, and which columns are aligned on the right. */
function shaped(
  rows: readonly (readonly string[])[],
  { head, without }: TableShape,
): [table: readonly (readonly string[])[], right: readonly number[]] {
  const isKept = (_: string, column: number): boolean => !without.includes(column);
  const names = head.filter(isKept);
  const body = without.length === 0 ? rows : rows.map((row) => row.filter(isKept));
  return [[names, ...body], names.flatMap((name, column) => (RIGHT.includes(name) ? [column] : []))];
}

/** Why entries were not checked, then what is to be said of those that were, a line each reason, however many it is true of. */
export function catalogCheckNotices(checks: readonly CheckedEntry[]): readonly string[] {
  const unknown = checks.flatMap(({ model, verdict }) => (verdict.kind === 'unknown' ? [{ model, ...verdict }] : []));
  return [...notCheckedLines(unknown), ...sharedNotes(checks)];
}

/** @param withHolder says which memory decides, for it is not the machine's memory for all */
function cells(
  { model, quantization, context, requiredBytes, verdict, largest }: CheckedEntry,
  withHolder: boolean,
): readonly string[] {
  const [limit] = decisive(verdict);
  const holder = withHolder && limit !== undefined ? `${limitLabel(limit)} ` : '';
  return [
    printable(model),
    printable(quantization ?? ''),
    String(context ?? ''),
    requiredBytes === undefined ? '' : `${holder}${formatSize(requiredBytes)}`,
    WORDS[verdict.kind],
    limit === undefined ? '' : formatSize(headroomBytes(limit)),
    verdict.kind === 'unknown' ? '' : String(largest ?? 'none'),
  ];
}

/** The same for every entry, whichever of them is the tightest for it. */
function budgets(checks: readonly CheckedEntry[]): string[] {
  const limits = checks.flatMap(({ verdict }) => (verdict.kind === 'unknown' ? [] : verdict.limits));
  const each = new Map(limits.map((limit) => [limitLabel(limit), limit.budget]));
  return [...each].sort(byName).map(([label, budget]) => {
    const where = label === 'memory' ? 'budget' : `${label} budget`;
    return `${where}: ${formatSize(Math.max(0, budget.bytes))} (${explainBudget(budget)})`;
  });
}

/** The machine's memory, then the GPUs. */
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === 'memory' || b === 'memory') return a === b ? 0 : a === 'memory' ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true });
}

/** The limit that decides; none for what was not checked. */
function decisive(verdict: CheckedEntry['verdict']): readonly LimitCheck[] {
  return verdict.kind === 'unknown' ? [] : verdict.limits.slice(0, 1);
}

/** Which llama.cpp the figures are for. */
function versionsLine(checks: readonly CheckedEntry[]): string[] {
  const versions = new Set(checks.flatMap(({ llamaCpp }) => llamaCpp ?? []));
  return versions.size === 0 ? [] : [`llama.cpp: ${[...versions].join(', ')}`];
}

/** "fits: 12, tight: 3, does not fit: 18". */
function summary(checks: readonly CheckedEntry[]): string {
  const counts = Object.entries(WORDS).map(([kind, word]) => {
    const count = checks.filter(({ verdict }) => verdict.kind === kind).length;
    return count === 0 ? '' : `${word}: ${count}`;
  });
  return counts.filter((text) => text !== '').join(', ');
}

function paint(kind: VerdictKind | undefined, colors: ChalkInstance): (text: string) => string {
  if (kind === 'does-not-fit') return colors.red;
  if (kind === 'tight') return colors.yellow;
  return kind === 'unknown' ? colors.dim : (text) => text;
}
