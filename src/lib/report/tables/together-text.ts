import type { ChalkInstance } from 'chalk';
import type { Together } from '../../preflight/surveys/together.js';
import { headroomBytes, type LimitCheck } from '../../preflight/judge/verdict.js';
import { printable } from '../../printable.js';
import { hanging } from '../layout/wrap.js';
import { explainBudget } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel, whereLimited } from '../words/limit-label.js';

const LABEL = 10;
const VERDICTS = { fits: 'fits', tight: 'tight', 'does-not-fit': 'does not fit' } as const;

/** What models take at once under each limit, and where that is too much, which of them can run side by side. */
export function togetherText(
  { checks, verdict }: Together,
  sets: readonly Together[],
  width: number,
  colors: ChalkInstance,
): string {
  const paint = { fits: colors.green, tight: colors.yellow, 'does-not-fit': colors.red }[verdict.kind];
  const lines = [
    `${'together'.padEnd(LABEL)}${paint.bold(VERDICTS[verdict.kind])}: ${checks.length} models side by side`,
    ...verdict.limits.flatMap((limit) => row(limitLabel(limit), limitWords(limit), width)),
  ];
  if (verdict.kind !== 'does-not-fit') return lines.join('\n');
  if (sets.length === 0) return [...lines, ...row('sets', 'none of them fits, not even alone', width)].join('\n');
  return [...lines, ...sets.flatMap((set, index) => row(index === 0 ? 'fitting' : '', setWords(set), width))].join(
    '\n',
  );
}

function row(label: string, text: string, width: number): string[] {
  return hanging(label.padEnd(LABEL), text.split(' '), width);
}

function limitWords(limit: LimitCheck): string {
  const left = headroomBytes(limit);
  const rest = left < 0 ? `${formatSize(-left)} too much` : `${formatSize(left)} to spare`;
  return `${formatSize(limit.requiredBytes)} of ${formatSize(limit.budget.bytes)}, ${rest} (${explainBudget(limit.budget)})`;
}

function setWords({ checks, verdict }: Together): string {
  const names = checks.map(({ model }) => printable(model)).join(' + ');
  const [limit] = verdict.limits;
  const spare = limit === undefined ? '' : `, ${formatSize(headroomBytes(limit))} to spare${whereLimited(limit)}`;
  return `${names}: ${VERDICTS[verdict.kind]}${spare}`;
}
