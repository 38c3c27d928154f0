import { cleanText } from '../../kube/client/clean-text.js';
import type { HostReport } from '../../kube/hosts.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { alignColumns } from '../layout/columns.js';
import { explainBudgetBriefly } from '../words/budget-text.js';
import { formatCompared } from '../words/bytes.js';
import { whereLimited } from '../words/limit-label.js';

/** A host and what came of its check, or why there is none. */
export interface CheckedHost {
  readonly host: HostReport;
  readonly check?: MemoryCheck;
  readonly reason?: string;
}

const VERDICTS = { fits: 'fits', tight: 'tight', 'does-not-fit': 'does not fit' } as const;

/** A line for each host: whether it can take the launch, how much that needs of what is left, and by which budget. */
export function fleetText(hosts: readonly CheckedHost[]): string {
  const rows = hosts.map((one) => [cleanText(one.host.agent), cleanText(one.host.accelerator), ...verdictCells(one)]);
  return alignColumns([['HOST', 'ACCELERATOR', 'VERDICT', 'NEEDS', 'LEFT', 'BY'], ...rows], [], '   ').join('\n');
}

function verdictCells({ check, reason = '' }: CheckedHost): readonly string[] {
  const verdict = check?.verdict;
  if (verdict === undefined) return ['unknown', '-', '-', cleanText(reason)];
  if (verdict.kind === 'unknown') return ['unknown', '-', '-', cleanText(verdict.reason)];
  const [decisive] = verdict.limits;
  if (decisive === undefined) return [VERDICTS[verdict.kind], '-', '-', ''];
  const { requiredBytes, budget } = decisive;
  const [needs, left] = formatCompared(requiredBytes, Math.max(0, budget.bytes));
  return [
    VERDICTS[verdict.kind],
    needs,
    left,
    `${explainBudgetBriefly(budget)}${decisive.gpu === undefined ? '' : whereLimited(decisive)}`,
  ];
}
