import type { LaunchOptions } from '../../runtime/launch-options.js';
import { recipeVariants } from '../advice/variants.js';
import { Trials } from '../advice/trials.js';
import { isComplete, type MemoryCheck } from '../memory-check.js';
import { sameLimit } from '../judge/verdict.js';
import { judgeOrRefusal, type SurveyVerdict } from './judge-or-refusal.js';

/** What one change to a launch takes less, or more. */
export interface Saving {
  /** What to type for it, as llama-server spells it too. */
  readonly flags: string;
  /** Under the limit that decides for the launch as it was asked for; negative where the change takes more. Undefined where llama.cpp refuses it. */
  readonly savedBytes: number | undefined;
  readonly verdict: SurveyVerdict;
  /** Rests on a quantization recipe, not on a file. */
  readonly isEstimated: boolean;
}

/** Smaller quantizations that are shown. */
const MOST_QUANTIZATIONS = 4;

const CHANGES: readonly (readonly [flags: string, patch: Partial<LaunchOptions>])[] = [
  ['-ctk q8_0 -ctv q8_0', { cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' }],
  ['-ctk q4_0 -ctv q4_0', { cacheTypeK: 'q4_0', cacheTypeV: 'q4_0' }],
  ['--parallel 1', { parallel: 1 }],
  ['--parallel 2', { parallel: 2 }],
  ['--parallel 8', { parallel: 8 }],
  ['--ubatch-size 256', { ubatchSize: 256 }],
  ['--ubatch-size 128', { ubatchSize: 128 }],
];

/**
 * What the usual changes save of a launch that was checked, each alone: other cache types, slots, batches, smaller
 * quantizations; context and layers on the GPU stay those of the launch that was checked, chosen or asked for. Those that change nothing are left out. Undefined for an incomplete check.
 */
export function savingsOf(check: MemoryCheck): readonly Saving[] | undefined {
  if (!isComplete(check)) return undefined;
  const { shape, launch, room, verdict, resolved } = check;
  const [decisive] = verdict.limits;
  if (decisive === undefined) return undefined;
  const trials = new Trials(room);
  const sized: LaunchOptions = { ...launch, ctxSize: verdict.estimate.resolved.nCtx };
  const changed = CHANGES.map(([flags, patch]) => ({
    flags,
    shape,
    launch: { ...sized, ...patch },
    isEstimated: false,
  }));
  const smaller = recipeVariants(shape, resolved).slice(0, MOST_QUANTIZATIONS);
  const requantised = smaller.map(({ quantization, shape: other }) => {
    return { flags: `-q ${quantization}`, shape: other, launch: sized, isEstimated: true };
  });
  return [...changed, ...requantised].flatMap(({ flags, shape: model, launch: other, isEstimated }): Saving[] => {
    const found = judgeOrRefusal(trials, model, other);
    if (found.kind === 'refused') return [{ flags, savedBytes: undefined, verdict: found, isEstimated }];
    const same = sameLimit(found.limits, decisive);
    if (same === undefined) return [];
    const savedBytes = decisive.requiredBytes - same.requiredBytes;
    return savedBytes === 0 ? [] : [{ flags, savedBytes, verdict: found, isEstimated }];
  });
}
