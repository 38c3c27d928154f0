import type { Condition, InferenceServiceResource } from '../../kube/client/api.js';

/** How the check of one service went, as it is told to the cluster. */
export interface FitReport {
  readonly reason: 'Fits' | 'Tight' | 'InsufficientMemory' | 'MemoryCheckFailed';
  readonly message: string;
  /** Of the spec that was checked. */
  readonly generation: number | undefined;
  /** For the printer column, where it does not run: set with the two reasons that refuse, and for other refusals. */
  readonly scheduling?: { readonly status: string; readonly message: string } | undefined;
}

export const MEMORY_FIT = 'MemoryFit';

const STATUS_OF: Readonly<Record<FitReport['reason'], Condition['status']>> = {
  Fits: 'True',
  Tight: 'True',
  InsufficientMemory: 'False',
  MemoryCheckFailed: 'Unknown',
};

/** What the API takes: `message` of a condition. */
const LONGEST_MESSAGE = 32_768;

/** The condition, with the time of the last transition kept while its status stays. */
export function fitCondition(
  { reason, message, generation }: FitReport,
  before: Condition | undefined,
  now: Date,
): Condition {
  const status = STATUS_OF[reason];
  const kept = before?.status === status ? before.lastTransitionTime : undefined;
  return {
    type: MEMORY_FIT,
    status,
    reason,
    message: message.slice(0, LONGEST_MESSAGE),
    lastTransitionTime: kept ?? `${now.toISOString().slice(0, 19)}Z`,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
}

/** The condition of a type that a service has now. */
export function conditionOf({ status }: Pick<InferenceServiceResource, 'status'>, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Whether a person should hear of it: another verdict than before, or the first. */
export function isTransition(before: Condition | undefined, { reason }: FitReport): boolean {
  return before === undefined ? reason !== 'Fits' : before.reason !== reason;
}
