import type { InferenceServiceSpec } from '../../kube/client/api.js';

/** A service whose process could be ended so that others keep their memory. */
export interface EvictionCandidate {
  /** `namespace/name`. */
  readonly key: string;
  readonly spec: Pick<InferenceServiceSpec, 'priority' | 'evictionProtection'>;
  /** What it was promised. */
  readonly requiredBytes: number;
  readonly startedAtMs: number;
}

/** From the first to go to the last: the enum of the field, whose default is `normal`. */
const ORDER = ['batch', 'low', 'normal', 'high', 'critical'];

/**
 * The one service to be ended under critical memory pressure: of the lowest priority, the largest of those, the youngest of those.
 * Never one that is protected, nor the last that runs.
 */
export function evictionTarget(running: readonly EvictionCandidate[]): EvictionCandidate | undefined {
  if (running.length < 2) return undefined;
  const mayGo = running.filter(({ spec }) => spec.evictionProtection !== true);
  const [first] = [...mayGo].sort(
    (a, b) => rank(a) - rank(b) || b.requiredBytes - a.requiredBytes || b.startedAtMs - a.startedAtMs,
  );
  return first;
}

function rank({ spec: { priority = 'normal' } }: EvictionCandidate): number {
  const at = ORDER.indexOf(priority);
  return at < 0 ? ORDER.indexOf('normal') : at;
}
