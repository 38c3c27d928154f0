import { estimateLaunch } from '../../estimate/estimate-launch.js';
import { type MemoryEstimate, totalBytes } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import { versionSteps } from '../../runtime/llama-cpp.js';
import type { MemoryCheck } from '../memory-check.js';
import { onMachine } from '../judge/on-machine.js';

/** One change of llama.cpp between two versions, and what it makes of a launch. */
export interface StepCause {
  /** As `llama-cpp-switches.ts` names it, or `launch`: the later version chooses another launch. */
  readonly change: string;
  readonly what: string;
  /** Of what must stay in memory, on all devices together. */
  readonly bytes: number;
}

/** The way from a version to the next one that is compared. */
export interface VersionStep {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  /** Only the changes that change something. */
  readonly causes: readonly StepCause[];
}

/**
 * Why the same launch takes another amount in another version: each change between the two is made after the other, and
 * what it adds or takes away is its own. Undefined where one of the two could not be estimated.
 */
export function explainStep(before: MemoryCheck, after: MemoryCheck): VersionStep | undefined {
  if (!before.shape || !before.estimate || !after.estimate) return undefined;
  const from = before.estimate.resolved.llamaCpp;
  const to = after.estimate.resolved.llamaCpp;
  const start = totalBytes(before.estimate);
  let reached = start;
  const causes: StepCause[] = [];
  for (const { change, what, version } of versionSteps(from, to)) {
    const bytes = totalBytes(estimateIn(version, before.shape, before)) - reached;
    reached += bytes;
    if (bytes !== 0) causes.push({ change, what, bytes });
  }
  const rest = totalBytes(after.estimate) - reached;
  if (rest !== 0) causes.push({ change: 'launch', what: 'llama-server chooses another launch', bytes: rest });
  return { from, to, bytes: totalBytes(after.estimate) - start, causes };
}

function estimateIn(
  llamaCpp: string,
  model: ModelShape,
  { projector, named, launch, room }: MemoryCheck,
): MemoryEstimate {
  const files = {
    model,
    ...(projector && { projector: projector.shape }),
    ...(named?.draft && { draft: named.draft.shape }),
    ...(named && { adapters: named.adapters.map((adapter) => adapter.shape) }),
  };
  const wanted = { ...launch, llamaCpp };
  return estimateLaunch(files, room ? onMachine(wanted, room.host) : wanted);
}
