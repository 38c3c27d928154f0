import { cleanText } from '../../kube/client/clean-text.js';
import type { HostReport } from '../../kube/hosts.js';
import type { FittedLaunch } from '../../preflight/fit/fit-launch.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { alignColumns } from '../layout/columns.js';
import { formatCompared } from '../words/bytes.js';

/** A host, and the best launch that it has room for. */
export interface FittedHost {
  readonly host: HostReport;
  readonly check?: MemoryCheck;
  readonly reason?: string;
  readonly best?: { readonly fitted: FittedLaunch; readonly command: readonly string[] | undefined };
}

/** A line for each host, and below it the command for each that has room. */
export function fleetFitText(hosts: readonly FittedHost[]): string {
  const rows = hosts.map((one) => [cleanText(one.host.agent), cleanText(one.host.accelerator), ...cells(one)]);
  const heading = ['HOST', 'ACCELERATOR', 'QUANTIZATION', 'CONTEXT', 'NEEDS', 'LEFT', ''];
  const commands = hosts.flatMap(({ host, best }) =>
    best?.command === undefined ? [] : ['', `${cleanText(host.agent)}: ${best.command.join(' ')}`],
  );
  return [...alignColumns([heading, ...rows], [], '   '), ...commands].join('\n');
}

function cells({ best, check, reason }: FittedHost): readonly string[] {
  if (best === undefined) {
    const verdict = check?.verdict;
    const why = reason ?? (verdict?.kind === 'unknown' ? verdict.reason : 'nothing fits');
    return ['-', '-', '-', '-', cleanText(why)];
  }
  const { fitted } = best;
  const [limit] = fitted.verdict.limits;
  const [needs, left] = limit ? formatCompared(limit.requiredBytes, Math.max(0, limit.budget.bytes)) : ['-', '-'];
  return [fitted.shape.quantization, contextCell(fitted), needs, left, fitted.verdict.kind];
}

function contextCell({ verdict, missedContext }: FittedLaunch): string {
  const { nCtx } = verdict.estimate.resolved;
  return missedContext === undefined ? String(nCtx) : `${nCtx} of ${missedContext}`;
}
