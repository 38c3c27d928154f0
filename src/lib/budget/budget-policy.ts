import type { HostMemory } from '../host/host-memory.js';
import { UsageError } from '../errors.js';
import type { Budget } from './budget.js';

/** How much of a machine may be used. An absolute amount wins over a fraction. */
export interface BudgetPolicy {
  /** 0 < fraction <= 1; unset = by the machine's size. */
  readonly fraction?: number;
  readonly absoluteBytes?: number;
  /** Who said so, as a message names it: an annotation, a field, a variable; unset = the flag of that name, or nobody. */
  readonly from?: string | undefined;
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
  if (policy.absoluteBytes !== undefined) return absoluteBudget(policy.absoluteBytes, host, policy);
  const machine = {
    ...fractionBudget(host, policy),
    ...(host.idleBytes && { idleBytes: host.idleBytes }),
  };
  return (host.cgroups ?? [])
    .map(({ limitBytes, ...use }) => ({
      ...fractionBudget({ totalBytes: limitBytes, ...use }, policy),
      scope: 'cgroup' as const,
    }))
    .reduce<FractionBudget>((least, budget) => (budget.bytes < least.bytes ? budget : least), machine);
}

/** What is to be noted of a budget that the machine, or a cgroup, does not have. */
export function budgetNotes(
  { totalBytes, cgroups = [] }: HostMemory,
  { absoluteBytes = 0, from }: BudgetPolicy,
): string[] {
  const limits = [
    { bytes: totalBytes, whose: 'the machine has' },
    ...cgroups.map(({ limitBytes }) => ({ bytes: limitBytes, whose: 'its cgroup may have' })),
  ];
  const exceeded = limits.filter(({ bytes }) => absoluteBytes > bytes).sort((a, b) => a.bytes - b.bytes);
  return exceeded
    .slice(0, 1)
    .map(({ whose }) => `${from ?? '--memory-budget'} is more than all the memory that ${whose}`);
}

/** It holds for everything that is promised together; of promises that are not known, for what is in use, whoever holds it. */
function absoluteBudget(bytes: number, host: HostMemory, policy: BudgetPolicy): Budget {
  const inUseBytes = host.promisesUnknown ? host.inUseBytes + (host.idleBytes ?? 0) : 0;
  const inUse = inUseBytes > 0 ? { inUseBytes } : {};
  return { kind: 'absolute', ...lessPromised(bytes - inUseBytes, host), ...inUse, ...saidBy(policy) };
}

type FractionBudget = Extract<Budget, { kind: 'fraction' }>;

/** What is promised is named only where something is. */
function lessPromised(bytes: number, { promisedBytes = 0 }: { readonly promisedBytes?: number }) {
  return promisedBytes > 0 ? { bytes: bytes - promisedBytes, promisedBytes } : { bytes };
}

function fractionBudget(
  { totalBytes, inUseBytes, ...promised }: Pick<HostMemory, 'totalBytes' | 'inUseBytes' | 'promisedBytes'>,
  policy: BudgetPolicy,
): FractionBudget {
  const fraction = policy.fraction ?? defaultFraction(totalBytes);
  if (!(fraction > 0 && fraction <= 1)) {
    throw new UsageError('INVALID_FRACTION', `memory fraction ${fraction} is not above 0 and at most 1`);
  }
  const bytes = Math.floor(totalBytes * fraction) - inUseBytes;
  const by = policy.fraction === undefined ? {} : saidBy(policy);
  return { kind: 'fraction', ...lessPromised(bytes, promised), totalBytes, fraction, inUseBytes, ...by };
}

function saidBy({ from }: BudgetPolicy): { readonly from?: string } {
  return from === undefined ? {} : { from };
}

/** The budget for what a GPU holds, the first unless said otherwise, when it has a limit of its own. */
export function gpuBudget(host: HostMemory, gpu = 0): Budget | undefined {
  const card = host.gpus?.[gpu];
  if (card !== undefined) {
    const { totalBytes, usedBytes } = card;
    return { kind: 'gpu-memory', ...lessPromised(totalBytes - usedBytes, card), totalBytes, inUseBytes: usedBytes };
  }
  const { gpuWiredLimitBytes: limitBytes, gpuWired } = host;
  if (limitBytes === undefined) return undefined;
  if (gpuWired === undefined) return { kind: 'gpu-wired', bytes: limitBytes };
  const { inUseBytes } = gpuWired;
  return { kind: 'gpu-wired', ...lessPromised(limitBytes - inUseBytes, gpuWired), totalBytes: limitBytes, inUseBytes };
}
