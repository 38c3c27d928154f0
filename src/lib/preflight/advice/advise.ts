import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { ModelVariant, Suggestion } from './advice.js';
import { launchChanges } from './launch-changes.js';
import { machineChanges, smallestMachine } from './machine-changes.js';
import { Trials, type Room } from './trials.js';

/** More than these nobody reads. */
const MOST_SUGGESTIONS = 6;

export interface AdviceRequest {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly room: Room;
  /** Smaller quantizations of the same model, in any order. */
  readonly variants: readonly ModelVariant[];
  /** To share what was estimated before, in the same room. */
  readonly trials?: Trials;
}

/**
 * What would make a refused launch fit, cheapest in quality first, each held against the same limits by the same code
 * that refused; where nothing does, the smallest machine that would run it. Empty when the launch is not refused.
 */
export function advise({
  shape,
  launch,
  room,
  variants,
  trials = new Trials(room),
}: AdviceRequest): readonly Suggestion[] {
  const verdict = trials.judge(shape, launch);
  if (verdict?.kind !== 'does-not-fit') return [];
  const smaller = variants
    .filter((variant) => variant.shape.fileBytes < shape.fileBytes)
    .sort((a, b) => b.shape.fileBytes - a.shape.fileBytes);
  const caches = verdict.estimate.parts.filter(({ name }) => name === 'kv-cache' || name === 'recurrent-state');
  const refused = { shape, launch, variants: smaller, verdict, resolved: verdict.estimate.resolved, caches };
  const suggestions = [...launchChanges(trials, refused), ...machineChanges(trials, refused)];
  if (suggestions.length > 0) return suggestions.slice(0, MOST_SUGGESTIONS);
  const machine = smallestMachine(trials, refused);
  return machine === undefined ? [] : [machine];
}
