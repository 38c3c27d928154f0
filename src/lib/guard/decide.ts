import type { BudgetPolicy } from '../budget/budget-policy.js';
import { totalBytes, type MemoryEstimate } from '../estimate/memory-estimate.js';
import type { HostMemory } from '../host/host-memory.js';
import { isDiscrete, judge, limitsOf } from '../preflight/judge/judge.js';
import type { CompletedVerdict } from '../preflight/judge/verdict.js';
import type { Accelerator } from '../runtime/launch-options.js';
import type { LedgerEntry, Requirement } from './ledger/ledger.js';
import { liveEntries, withReservations, type LiveProcess } from './ledger/reservations.js';

/** A launch that asks for memory of this machine. */
export interface LaunchRequest {
  readonly estimate: MemoryEstimate;
  readonly accelerator: Accelerator;
  readonly policy: BudgetPolicy;
}

/** Everything that a decision rests on, at one moment. */
export interface Circumstances {
  readonly entries: readonly LedgerEntry[];
  /** Those of the ledger that run. */
  readonly processes: readonly LiveProcess[];
  /** As measured: what the ledger's processes hold is still part of what is in use. */
  readonly measured: HostMemory;
}

export interface Decision {
  readonly verdict: CompletedVerdict;
  /** The machine with what is promised told apart from what others use. */
  readonly host: HostMemory;
  /** The entries whose processes run. */
  readonly live: readonly LedgerEntry[];
}

/**
 * Whether a launch fits beside what is promised and what others use. Pure.
 * @throws UsageError INVALID_FRACTION
 */
export function decide({ estimate, accelerator, policy }: LaunchRequest, circumstances: Circumstances): Decision {
  const { entries, processes, measured } = circumstances;
  const host = withReservations(measured, entries, processes);
  const verdict = judge(estimate, limitsOf(estimate, accelerator, host, policy));
  return {
    verdict: { ...verdict, warnings: [...host.notes, ...verdict.warnings] },
    host,
    live: liveEntries(entries, processes),
  };
}

/** What a launch is promised on a machine, by pool. */
export function requirementOf(
  { estimate, accelerator }: Pick<LaunchRequest, 'estimate' | 'accelerator'>,
  { unifiedMemory, gpus = [] }: Pick<HostMemory, 'unifiedMemory' | 'gpus'>,
): Requirement {
  const ownMemory = isDiscrete(accelerator) && unifiedMemory !== true;
  const onGpus = estimate.parts.filter(({ device }) => device === 'gpu');
  const count = accelerator === 'cpu' ? 0 : 1 + Math.max(0, ...onGpus.map(({ gpu }) => gpu ?? 0));
  const gpuIds = gpus.slice(0, count).flatMap(({ uuid }) => uuid ?? []);
  const onHost = estimate.parts.filter(({ device }) => device === 'host' || !ownMemory);
  return {
    hostBytes: totalBytes({ parts: onHost }),
    mappedBytes: totalBytes({ parts: onHost.filter(({ name }) => name === 'weights') }),
    gpuBytes: Array.from({ length: count }, (_, index) =>
      totalBytes({ parts: onGpus.filter(({ gpu }) => (gpu ?? 0) === index) }),
    ),
    ...(count > 0 && gpuIds.length === count && { gpuIds }),
  };
}
