import type { ChalkInstance } from 'chalk';
import { totalBytes } from '../../estimate/memory-estimate.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { headroomBytes, type UnknownVerdict, type VerdictKind } from '../../preflight/verdict.js';
import { printable } from '../../printable.js';
import { explainBudget } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns } from '../layout/columns.js';
import { sharedNotes } from '../words/shared-notes.js';

const HEAD = ['ID', 'QUANT', 'CONTEXT', 'NEEDS', 'VERDICT', 'TO SPARE', 'LARGEST CONTEXT'];
const RIGHT = [2, 3, 5, 6];
const WORDS: Readonly<Record<VerdictKind, string>> = {
  fits: 'fits',
  tight: 'tight',
  'does-not-fit': 'does not fit',
  unknown: 'not checked',
};

/** An entry's check, and the longest context in tokens that the machine holds of it; undefined when none. */
export type CheckedEntry = MemoryCheck & { readonly largest: number | undefined };

/** One line an entry, then the budgets that they were held against and how many came out how. */
export function catalogCheckTable(checks: readonly CheckedEntry[], colors: ChalkInstance): string {
  const [head = '', ...lines] = alignColumns([HEAD, ...checks.map(cells)], RIGHT);
  const painted = lines.map((line, index) => paint(checks[index]?.verdict.kind, colors)(line));
  return [colors.bold(head), ...painted, '', ...budgets(checks), ...versionsLine(checks), summary(checks)].join('\n');
}

/** Why entries were not checked, then what is to be said of those that were, a line each, however many it is true of. */
export function catalogCheckNotices(checks: readonly MemoryCheck[]): readonly string[] {
  const reasons = checks.flatMap(({ model, verdict }) =>
    verdict.kind === 'unknown' ? [`Not checked: ${printable(model)}: ${reasonOf(verdict)}`] : [],
  );
  return [...reasons, ...sharedNotes(checks)];
}

function cells({ model, entry, shape, estimate, verdict, largest }: CheckedEntry): readonly string[] {
  const [limit] = verdict.kind === 'unknown' ? [] : verdict.limits;
  const required = limit?.requiredBytes ?? (estimate && totalBytes(estimate));
  return [
    printable(model),
    shape?.quantization ?? printable(entry?.quantization ?? ''),
    String(estimate?.resolved.nCtx ?? entry?.contextSize ?? ''),
    required === undefined ? '' : formatSize(required),
    WORDS[verdict.kind],
    limit === undefined ? '' : formatSize(headroomBytes(limit)),
    verdict.kind === 'unknown' ? '' : String(largest ?? 'none'),
  ];
}

/** Offline, the advice for one model would be repeated for each. */
function reasonOf({ code, reason }: UnknownVerdict): string {
  return code === 'SOURCE_OFFLINE' ? 'its header is neither bundled nor in the cache' : reason;
}

/** The same for every entry, whichever of them is the tightest for it. */
function budgets(checks: readonly MemoryCheck[]): string[] {
  const limits = checks.flatMap(({ verdict }) => (verdict.kind === 'unknown' ? [] : verdict.limits));
  return (['memory', 'gpu'] as const).flatMap((name) => {
    const budget = limits.find((limit) => limit.name === name)?.budget;
    if (budget === undefined) return [];
    const where = name === 'gpu' ? 'GPU budget' : 'budget';
    return [`${where}: ${formatSize(Math.max(0, budget.bytes))} (${explainBudget(budget)})`];
  });
}

/** Which llama.cpp the figures are for. */
function versionsLine(checks: readonly MemoryCheck[]): string[] {
  const versions = new Set(checks.flatMap(({ estimate }) => estimate?.resolved.llamaCpp ?? []));
  return versions.size === 0 ? [] : [`llama.cpp: ${[...versions].join(', ')}`];
}

/** "fits: 12, tight: 3, does not fit: 18". */
function summary(checks: readonly MemoryCheck[]): string {
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
