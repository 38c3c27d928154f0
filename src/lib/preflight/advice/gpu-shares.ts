import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import { headroomBytes } from '../judge/verdict.js';
import type { Suggestion } from './advice.js';
import type { Trials } from './trials.js';

/**
 * The same launch with its layers shared otherwise between two GPUs than by what is free on each, which loses nothing: as many on the
 * first as it holds. Undefined where nobody shares by layer, the shares were said, or the second does not hold the rest.
 */
export function otherShares(trials: Trials, shape: ModelShape, launch: LaunchOptions): Suggestion | undefined {
  const { gpus = [], unifiedMemory } = trials.room.host;
  const { accelerator, splitMode = 'layer', tensorSplit, devices } = launch;
  const isShared = isDiscrete(accelerator) && unifiedMemory !== true && gpus.length === 2 && splitMode === 'layer';
  if (!isShared || tensorSplit !== undefined || devices !== undefined) return undefined;
  const all = shape.hparams.nLayerAll + 1;
  const withShares = (first: number): LaunchOptions => ({ ...launch, tensorSplit: [first, all - first] });
  const isHeld = (first: number): boolean => {
    const limits = trials.judge(shape, withShares(first))?.limits ?? [];
    return limits.length > 0 && limits.every((limit) => limit.gpu !== 0 || headroomBytes(limit) >= 0);
  };
  let [held, beyond] = [0, all];
  while (beyond - held > 1) {
    const middle = Math.floor((held + beyond) / 2);
    if (isHeld(middle)) held = middle;
    else beyond = middle;
  }
  const verdict = held === 0 ? undefined : trials.fitting(shape, withShares(held));
  return verdict && { changes: [{ kind: 'tensor-split', shares: [held, all - held] }], verdict };
}
