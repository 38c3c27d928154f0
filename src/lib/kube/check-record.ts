import { type EstimatePart, type MemoryEstimate, neededParts } from '../estimate/memory-estimate.js';
import type { LimitCheck, Verdict } from '../preflight/judge/verdict.js';
import { API_GROUP } from './client/api.js';

/** How the memory check went that this deploy rests on. */
export interface CheckRecord {
  readonly mode: 'enforce' | 'warn' | 'off';
  /** Version of this program. */
  readonly version: string;
  /** Absent when the check was left out. */
  readonly verdict?: Verdict;
}

/** Memory of one container, in bytes: what it holds when loaded, and what it can grow to (absent: without bound). */
export interface HostMemoryNeed {
  readonly requestBytes: number;
  readonly limitBytes?: number;
}

const PREFIX = `${API_GROUP}/memory-check-`;

/** Names of the annotations that keep the record on both resources. */
export const CHECK_ANNOTATIONS = {
  verdict: `${PREFIX}verdict`,
  mode: `${PREFIX}mode`,
  version: `${PREFIX}version`,
  reason: `${PREFIX}reason`,
  contextSize: `${PREFIX}context-size`,
  slots: `${PREFIX}slots`,
  llamaCpp: `${PREFIX}llama-cpp`,
  requiredBytes: `${PREFIX}required-bytes`,
  budgetBytes: `${PREFIX}budget-bytes`,
  gpuRequiredBytes: `${PREFIX}gpu-required-bytes`,
  gpuBudgetBytes: `${PREFIX}gpu-budget-bytes`,
  /** Which fields of the resource decide what llama-server allocates. */
  fields: `${PREFIX}fields`,
  /** What the container can grow to, whichever fields the cluster has for it. */
  limitBytes: `${PREFIX}container-limit-bytes`,
} as const;

/** These follow what is in use on the machine: another reading alone is no reason to write the resources again. */
export const MEASURED_ANNOTATIONS: readonly string[] = [
  CHECK_ANNOTATIONS.budgetBytes,
  CHECK_ANNOTATIONS.gpuBudgetBytes,
];

/** The record as annotations: why this model was let in, for `kubectl describe`. */
export function checkAnnotations(record: CheckRecord): Record<string, string> {
  const { mode, version, verdict } = record;
  const annotations: Record<string, string> = {
    [CHECK_ANNOTATIONS.verdict]: verdict?.kind ?? 'skipped',
    [CHECK_ANNOTATIONS.mode]: mode,
    [CHECK_ANNOTATIONS.version]: version,
  };
  if (verdict === undefined) return annotations;
  if (verdict.kind === 'unknown') {
    return { ...annotations, [CHECK_ANNOTATIONS.reason]: `${verdict.code}: ${verdict.reason}` };
  }
  const { resolved } = verdict.estimate;
  annotations[CHECK_ANNOTATIONS.contextSize] = String(resolved.nCtx);
  annotations[CHECK_ANNOTATIONS.slots] = String(resolved.slots);
  annotations[CHECK_ANNOTATIONS.llamaCpp] = resolved.llamaCpp;
  addLimit(annotations, verdict.limits, 'memory', CHECK_ANNOTATIONS.requiredBytes, CHECK_ANNOTATIONS.budgetBytes);
  addLimit(annotations, verdict.limits, 'gpu', CHECK_ANNOTATIONS.gpuRequiredBytes, CHECK_ANNOTATIONS.gpuBudgetBytes);
  return annotations;
}

function addLimit(
  annotations: Record<string, string>,
  limits: readonly LimitCheck[],
  name: LimitCheck['name'],
  requiredKey: string,
  budgetKey: string,
): void {
  const limit = limits.find((candidate) => candidate.name === name);
  if (limit === undefined) return;
  annotations[requiredKey] = String(limit.requiredBytes);
  annotations[budgetKey] = String(limit.budget.bytes);
}

/** What the host's side of this estimate asks of a container: the GPU's own memory is not the container's. */
export function hostMemoryNeed(estimate: Pick<MemoryEstimate, 'parts' | 'growth'>): HostMemoryNeed {
  const requestBytes = sum(
    neededParts(estimate)
      .filter(isOnHost)
      .map((part) => part.bytes),
  );
  const limitBytes = requestBytes + sum(estimate.growth.filter(isOnHost).map((part) => part.maxBytes));
  return Number.isFinite(limitBytes) ? { requestBytes, limitBytes } : { requestBytes };
}

function isOnHost({ device }: Pick<EstimatePart, 'device'>): boolean {
  return device === 'host';
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
