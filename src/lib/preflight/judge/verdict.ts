import type { Budget } from '../../budget/budget.js';
import { gpuOf, type EstimatePart, type MemoryEstimate } from '../../estimate/memory-estimate.js';

export type VerdictKind = 'fits' | 'tight' | 'does-not-fit' | 'unknown';

/** One ceiling that was checked: what must fit under it, and the ceiling. Headroom is `budget.bytes - requiredBytes`. */
export interface LimitCheck {
  /** `memory`: everything (or, with a discrete GPU, the host's parts) against the machine's memory. */
  readonly name: 'memory' | 'gpu';
  /** The GPU's number, where the machine has several: each is a limit of its own. */
  readonly gpu?: number;
  readonly requiredBytes: number;
  readonly budget: Budget;
  /** Set where the GPU's parts lie in memory of its own. */
  readonly hostOnly?: true;
}

/** What is left under a limit, in bytes; negative when it refuses. */
export function headroomBytes({ requiredBytes, budget }: LimitCheck): number {
  return budget.bytes - requiredBytes;
}

/** Whether a part is held under a limit, as `limitsOf` counts it. */
export function isUnder({ name, gpu: own, hostOnly }: LimitCheck, part: Pick<EstimatePart, 'device' | 'gpu'>): boolean {
  if (name === 'memory') return part.device === 'host' || hostOnly !== true;
  return part.device === 'gpu' && (own === undefined || gpuOf(part) === own);
}

/** The same ceiling among those of another launch, or undefined where that does not come near it. */
export function sameLimit(
  limits: readonly LimitCheck[],
  { name, gpu }: Pick<LimitCheck, 'name' | 'gpu'>,
): LimitCheck | undefined {
  return limits.find((limit) => limit.name === name && limit.gpu === gpu);
}

/** Whether the GPUs' parts lie in memories of their own, so that no single amount is the whole requirement. */
export function areApart(limits: readonly LimitCheck[]): boolean {
  return limits.length > 1 && limits.some(({ hostOnly }) => hostOnly === true);
}

/** A check that was completed. */
export interface CompletedVerdict {
  readonly kind: Exclude<VerdictKind, 'unknown'>;
  readonly estimate: MemoryEstimate;
  /** The first that refuses, or else the one with the least headroom, comes first. */
  readonly limits: readonly LimitCheck[];
  /** For `tight`: what can push it over and by how much. For all: notes worth a person's attention. */
  readonly warnings: readonly string[];
}

/** A check that could not be completed: nothing may be deployed on it. */
export interface UnknownVerdict {
  readonly kind: 'unknown';
  /** Stable code of the error that stopped the check. */
  readonly code: string;
  readonly reason: string;
  readonly warnings: readonly string[];
  /** llama.cpp refuses these options for this model. */
  readonly isRefused?: true;
}

export type Verdict = CompletedVerdict | UnknownVerdict;
