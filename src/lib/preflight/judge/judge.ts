import { gpuBudget, memoryBudget, type BudgetPolicy } from '../../budget/budget-policy.js';
import { CheckIncompleteError } from '../../errors.js';
import { gpuOf, totalBytes, type MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { tightness } from './tightness.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from './verdict.js';

/** GPUs that have memory of their own, unless the machine says otherwise; the others always share the machine's. */
export function isDiscrete(accelerator: Accelerator): boolean {
  return accelerator !== 'metal' && accelerator !== 'cpu';
}

/**
 * The ceilings that hold on one machine, and what has to fit under each.
 * @throws UsageError INVALID_FRACTION
 * @throws CheckIncompleteError GPU_MEMORY_UNKNOWN
 */
export function limitsOf(
  estimate: Pick<MemoryEstimate, 'parts' | 'transient'>,
  accelerator: Accelerator,
  host: HostMemory,
  policy: BudgetPolicy,
): readonly LimitCheck[] {
  const hostOnly = isDiscrete(accelerator) && host.unifiedMemory !== true;
  const requiredBytes = totalBytes(estimate, hostOnly ? 'host' : undefined);
  const memory: LimitCheck = {
    name: 'memory',
    requiredBytes,
    budget: memoryBudget(host, policy),
    ...(hostOnly && { hostOnly }),
  };
  if (accelerator === 'cpu' || isOnePool(host)) return [memory];
  return [memory, ...gpuLimits(estimate, host)];
}

/** What a GPU may hold is no less than the machine has, so the machine's own limit says it all. */
function isOnePool({ gpus = [], unifiedMemory, totalBytes: machineBytes }: HostMemory): boolean {
  return unifiedMemory === true && gpus.every(({ totalBytes }) => totalBytes >= machineBytes);
}

function gpuLimits(estimate: Pick<MemoryEstimate, 'parts' | 'transient'>, host: HostMemory): LimitCheck[] {
  const held = estimate.parts.filter(({ device }) => device === 'gpu').map(gpuOf);
  const count = Math.max(1, host.gpus?.length ?? 1, ...held.map((gpu) => gpu + 1));
  return Array.from({ length: count }, (_, gpu) => gpu).flatMap((gpu): LimitCheck[] => {
    const budget = gpuBudget(host, gpu);
    if (budget === undefined && host.gpus !== undefined) throw unknownGpu(gpu, host.gpus.length);
    const requiredBytes = totalBytes(estimate, 'gpu', gpu);
    // What is left of a GPU that others fill does not matter to a launch that leaves it alone.
    if (budget === undefined || requiredBytes === 0) return [];
    return [{ name: 'gpu', ...(count > 1 && { gpu }), requiredBytes, budget }];
  });
}

function unknownGpu(gpu: number, known: number): CheckIncompleteError {
  return new CheckIncompleteError(
    'GPU_MEMORY_UNKNOWN',
    `the launch uses GPU ${gpu}, but the memory of only ${known} is known (numbered from 0)`,
    { suggestions: ["give each GPU's: --gpu-memory 24Gi,24Gi"] },
  );
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
