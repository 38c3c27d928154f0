import type { ChalkInstance } from 'chalk';
import type { CheckedEntry } from '../../preflight/catalog/checked-entry.js';
import { headroomBytes, type VerdictKind } from '../../preflight/judge/verdict.js';
import { printable } from '../../printable.js';
import { explainBudget } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns } from '../layout/columns.js';
import { wrapWords } from '../layout/wrap.js';
import { notCheckedLines } from '../words/not-checked.js';
import { sharedNotes } from '../words/shared-notes.js';

const HEAD = ['ID', 'QUANT', 'CONTEXT', 'NEEDS', 'VERDICT', 'TO SPARE', 'LARGEST CONTEXT'];
const SHORT_HEAD = ['ID', 'QUANT', 'CONTEXT', 'NEEDS', 'VERDICT', 'SPARE', 'LARGEST'];
/** What can be left out where there is no room: what the others tell, too, or what is asked about least. */
const DISPENSABLE = [[], [1, 5], [1, 2, 5]];
const RIGHT = ['CONTEXT', 'NEEDS', 'TO SPARE', 'SPARE', 'LARGEST CONTEXT', 'LARGEST'];
const WORDS: Readonly<Record<VerdictKind, string>> = {
  fits: 'fits',
  tight: 'tight',
  'does-not-fit': 'does not fit',
  unknown: 'not checked',
};

/** One line an entry, as much of it as the width holds, then the budgets that they were held against and how many came out how. */
export function catalogCheckTable(checks: readonly CheckedEntry[], width: number, colors: ChalkInstance): string {
  const [head = '', ...lines] = linesWithin(checks.map(cells), width);
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
  const without = (head: readonly string[], left: readonly number[]): readonly string[] => {
    const names = head.filter((_, column) => !left.includes(column));
    const body = rows.map((row) => row.filter((_, column) => !left.includes(column)));
    const right = names.flatMap((name, column) => (RIGHT.includes(name) ? [column] : []));
    return alignColumns([names, ...body], right);
  };
  let lines = without(HEAD, []);
  for (const left of DISPENSABLE) {
    if (lines.every((line) => line.length <= width)) break;
    lines = without(SHORT_HEAD, left);
  }
  return lines;
}

/** Why entries were not checked, then what is to be said of those that were, a line each reason, however many it is true of. */
export function catalogCheckNotices(checks: readonly CheckedEntry[]): readonly string[] {
  const unknown = checks.flatMap(({ model, verdict }) => (verdict.kind === 'unknown' ? [{ model, ...verdict }] : []));
  return [...notCheckedLines(unknown), ...sharedNotes(checks)];
}

function cells({ model, quantization, context, requiredBytes, verdict, largest }: CheckedEntry): readonly string[] {
  const [limit] = verdict.kind === 'unknown' ? [] : verdict.limits;
  return [
    printable(model),
    printable(quantization ?? ''),
    String(context ?? ''),
    requiredBytes === undefined ? '' : formatSize(requiredBytes),
    WORDS[verdict.kind],
    limit === undefined ? '' : formatSize(headroomBytes(limit)),
    verdict.kind === 'unknown' ? '' : String(largest ?? 'none'),
  ];
}

/** The same for every entry, whichever of them is the tightest for it. */
function budgets(checks: readonly CheckedEntry[]): string[] {
  const limits = checks.flatMap(({ verdict }) => (verdict.kind === 'unknown' ? [] : verdict.limits));
  return (['memory', 'gpu'] as const).flatMap((name) => {
    const budget = limits.find((limit) => limit.name === name)?.budget;
    if (budget === undefined) return [];
    const where = name === 'gpu' ? 'GPU budget' : 'budget';
    return [`${where}: ${formatSize(Math.max(0, budget.bytes))} (${explainBudget(budget)})`];
  });
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
