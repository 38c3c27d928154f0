import { apiTime } from './api-time.js';
import { MEMORY_FIT, SERVER_READY } from '../../kube/host-record.js';
import type { MemoryPressure } from '../../host/memory-pressure.js';
import type { Condition, InferenceServiceResource } from '../../kube/client/api.js';

/** How the check of one service went, as it is told to the cluster. */
export interface FitReport {
  readonly reason: 'Fits' | 'Tight' | 'Overruled' | 'InsufficientMemory' | 'MemoryCheckFailed' | 'ModelNotFound';
  readonly message: string;
  /** Of the spec that was checked. */
  readonly generation: number | undefined;
  /** For the printer column, where it does not run: set with the two reasons that refuse, and for other refusals. */
  readonly scheduling?: { readonly status: string; readonly message: string } | undefined;
}

/** A condition before it is known when it last changed. */
export type OwnCondition = Omit<Condition, 'lastTransitionTime'>;

/** How the memory of the host is doing, told with every service of it. */
export function pressureCondition({ level, text }: MemoryPressure): OwnCondition {
  const reason = `${level.slice(0, 1).toUpperCase()}${level.slice(1)}`;
  return { type: 'MemoryPressure', status: level === 'normal' ? 'False' : 'True', reason, message: text };
}

/** Whether the process of a service answers; `ending` says how the last one came to its end. */
export function serverCondition(state: string | undefined, ending: string | undefined): OwnCondition {
  const base = { type: SERVER_READY, status: 'False' } as const;
  if (state === 'ready') return { ...base, status: 'True', reason: 'Ready', message: 'llama-server answers' };
  if (state === 'loading') return { ...base, reason: 'Loading', message: ending ?? 'the model is being loaded' };
  if (state === 'stopping') return { ...base, reason: 'Stopping', message: ending ?? 'llama-server is being ended' };
  if (state !== undefined) return { ...base, reason: 'Unhealthy', message: 'llama-server does not answer' };
  if (ending !== undefined) return { ...base, reason: 'Ended', message: ending.slice(0, LONGEST_MESSAGE) };
  return { ...base, reason: 'NotStarted', message: 'nothing runs' };
}

const STATUS_OF: Readonly<Record<FitReport['reason'], Condition['status']>> = {
  Fits: 'True',
  Tight: 'True',
  Overruled: 'False',
  InsufficientMemory: 'False',
  MemoryCheckFailed: 'Unknown',
  ModelNotFound: 'Unknown',
};

/** What the API takes: `message` of a condition. */
const LONGEST_MESSAGE = 32_768;

/** The condition that tells how the check went. */
export function fitCondition({ reason, message, generation }: FitReport): OwnCondition {
  return {
    type: MEMORY_FIT,
    status: STATUS_OF[reason],
    reason,
    message: message.slice(0, LONGEST_MESSAGE),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
}

/** With the time of its last transition, which stays while the status does. */
export function timed(condition: OwnCondition, before: Condition | undefined, now: Date): Condition {
  const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: kept ?? apiTime(now) };
}

/** The condition of a type that a service has now. */
export function conditionOf({ status }: Pick<InferenceServiceResource, 'status'>, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Whether a person should hear of it: another verdict than before, or the first. */
export function isTransition(before: { readonly reason?: string } | undefined, { reason }: FitReport): boolean {
  return before === undefined ? reason !== 'Fits' : before.reason !== reason;
}

/** What an earlier agent has said of a process that was taken over; undefined where it could not say it. */
export function saidBefore(service: InferenceServiceResource): FitReport | undefined {
  const { reason, message = '', observedGeneration } = conditionOf(service, MEMORY_FIT) ?? {};
  if (reason !== 'Fits' && reason !== 'Tight' && reason !== 'Overruled') return undefined;
  return { reason, message, generation: observedGeneration };
}
