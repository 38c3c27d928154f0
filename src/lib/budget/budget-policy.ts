import type { HostMemory } from '../host/host-memory.js';
import { UsageError } from '../errors.js';
import type { Budget } from './budget.js';

/** How much of a machine may be used. An absolute amount wins over a fraction. */
export interface BudgetPolicy {
  /** 0 < fraction <= 1; unset = by the machine's size. */
  readonly fraction?: number;
  readonly absoluteBytes?: number;
}

/** The share of the memory that may be used where nothing is said: small machines need more for the system. */
const DEFAULT_FRACTIONS: readonly { readonly upToBytes: number; readonly fraction: number }[] = [
  { upToBytes: 36 * 2 ** 30, fraction: 0.67 },
  { upToBytes: Infinity, fraction: 0.75 },
];

export function defaultFraction(totalBytes: number): number {
  const row = DEFAULT_FRACTIONS.find(({ upToBytes }) => totalBytes <= upToBytes);
  if (row === undefined) throw new RangeError(`not an amount of memory: ${totalBytes}`);
  return row.fraction;
}

/**
 * The budget for what is held in the machine's own memory: the least that its total or a cgroup's limit leaves. It may
 * be negative when more is in use than the fraction allows.
 * @throws UsageError INVALID_FRACTION
 */
export function memoryBudget(host: HostMemory, policy: BudgetPolicy): Budget {
  if (policy.absoluteBytes !== undefined) return { kind: 'absolute', bytes: policy.absoluteBytes };
  const machine = {
    ...fractionBudget(host.totalBytes, host.inUseBytes, policy),
    ...(host.idleBytes && { idleBytes: host.idleBytes }),
  };
  return (host.cgroups ?? [])
    .map(({ limitBytes, inUseBytes }) => ({
      ...fractionBudget(limitBytes, inUseBytes, policy),
      scope: 'cgroup' as const,
    }))
    .reduce<FractionBudget>((least, budget) => (budget.bytes < least.bytes ? budget : least), machine);
}

type FractionBudget = Extract<Budget, { kind: 'fraction' }>;

function fractionBudget(totalBytes: number, inUseBytes: number, policy: BudgetPolicy): FractionBudget {
  const fraction = policy.fraction ?? defaultFraction(totalBytes);
  if (!(fraction > 0 && fraction <= 1)) {
    throw new UsageError('INVALID_FRACTION', `memory fraction ${fraction} is not above 0 and at most 1`);
  }
  return { kind: 'fraction', bytes: Math.floor(totalBytes * fraction) - inUseBytes, totalBytes, fraction, inUseBytes };
}

/** The budget for what a GPU holds, the first unless said otherwise, when it has a limit of its own. */
export function gpuBudget(host: HostMemory, gpu = 0): Budget | undefined {
  const card = host.gpus?.[gpu];
  if (card !== undefined) {
    const { totalBytes, usedBytes } = card;
    return { kind: 'gpu-memory', bytes: totalBytes - usedBytes, totalBytes, inUseBytes: usedBytes };
  }
  if (host.gpuWiredLimitBytes !== undefined) return { kind: 'gpu-wired', bytes: host.gpuWiredLimitBytes };
  return undefined;
}
