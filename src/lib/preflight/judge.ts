import { gpuBudget, memoryBudget, type BudgetPolicy } from '../budget/budget-policy.js';
import { totalBytes, type MemoryEstimate } from '../estimate/memory-estimate.js';
import type { HostMemory } from '../host/host-memory.js';
import type { Accelerator } from '../runtime/launch-options.js';
import { tightness } from './tightness.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from './verdict.js';

/** GPUs that have memory of their own, unless the machine says otherwise; the others always share the machine's. */
export function isDiscrete(accelerator: Accelerator): boolean {
  return accelerator !== 'metal' && accelerator !== 'cpu';
}

/**
 * The ceilings that hold on one machine, and what has to fit under each.
 * @throws UsageError INVALID_FRACTION
 */
export function limitsOf(
  estimate: Pick<MemoryEstimate, 'parts'>,
  accelerator: Accelerator,
  host: HostMemory,
  policy: BudgetPolicy,
): readonly LimitCheck[] {
  const hostOnly = isDiscrete(accelerator) && host.unifiedMemory !== true;
  const requiredBytes = totalBytes(estimate, hostOnly ? 'host' : undefined);
  const memory: LimitCheck = { name: 'memory', requiredBytes, budget: memoryBudget(host, policy) };
  const budget = accelerator === 'cpu' ? undefined : gpuBudget(host);
  if (budget === undefined) return [memory];
  return [memory, { name: 'gpu', requiredBytes: totalBytes(estimate, 'gpu'), budget }];
}

/** The verdict on an estimate under the given ceilings, of which there must be at least one. */
export function judge(estimate: MemoryEstimate, limits: readonly LimitCheck[]): CompletedVerdict {
  const ordered = [...limits].sort((a, b) => headroomBytes(a) - headroomBytes(b));
  const refused = ordered.some((limit) => headroomBytes(limit) < 0);
  const tight = tightness(ordered, estimate.growth).length > 0;
  return {
    kind: refused ? 'does-not-fit' : tight ? 'tight' : 'fits',
    estimate,
    limits: ordered,
    warnings: estimate.notes,
  };
}
