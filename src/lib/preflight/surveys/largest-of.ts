import { LlmkubeError } from '../../errors.js';
import { usefulContext } from '../../estimate/context/trained-context.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';
import { largestContext, largestOfWhich } from '../advice/largest-fitting.js';
import { type Room, Trials } from '../advice/trials.js';
import { judgeLaunch } from '../judge/judge-launch.js';
import type { MemoryCheck } from '../memory-check.js';
import { choosesLayers } from '../server-choice.js';

/** A launch that was judged; without `asked`, the layers on the GPU are those of `launch` whatever the context. */
type Judged = Pick<MemoryCheck, 'shape' | 'launch' | 'room' | 'verdict'> & Partial<Pick<MemoryCheck, 'asked'>>;

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/**
 * The longest context in tokens, all slots together, that a checked launch holds, up to the trained one; undefined when none,
 * or not checked. Where the launch asked leaves the layers on the GPU to llama-server, it chooses them anew for each context. What is
 * known to fit is not tried again.
 */
export function largestOf(check: Judged, trials = check.room && new Trials(check.room)): number | undefined {
  const { shape, launch, asked, verdict } = check;
  if (shape === undefined || trials === undefined || verdict.kind === 'unknown') return undefined;
  const { resolved } = verdict.estimate;
  const useful = usefulContext(shape, launch, resolved);
  trials.know(shape, { ...launch, ctxSize: resolved.nCtx }, verdict.estimate);
  const fits = verdict.kind !== 'does-not-fit';
  if (!fits && trials.floorExceeds(shape, launch)) return undefined;
  if (fits && resolved.nCtx >= useful) return useful;
  const bounds = fits
    ? { least: resolved.nCtx, most: useful }
    : { least: CONTEXT_STEP, most: Math.min(useful, resolved.nCtx) };
  const alike = largestContext(trials, shape, launch, bounds);
  return asked !== undefined && choosesLayers(asked, trials.room.host)
    ? largestChosenAnew(trials.room, shape, asked, bounds, alike)
    : alike;
}

/** @param alike the same with layers alike, which is not far off on most machines */
function largestChosenAnew(
  room: Room,
  shape: ModelShape,
  asked: LaunchOptions,
  { least, most }: Bounds,
  alike: number | undefined,
): number | undefined {
  const files = { ...room.beside, model: shape };
  const holds = (count: number): boolean => {
    try {
      return judgeLaunch(files, { ...asked, ctxSize: count * CONTEXT_STEP }, room).verdict.kind !== 'does-not-fit';
    } catch (error) {
      if (error instanceof LlmkubeError) return false;
      throw error;
    }
  };
  const [low, high] = [Math.ceil(least / CONTEXT_STEP), Math.floor(most / CONTEXT_STEP)];
  if (high >= low && holds(high)) return high * CONTEXT_STEP;
  const steps = largestOfWhich(holds, low, high - 1, (count) => count * CONTEXT_STEP <= (alike ?? 0));
  return steps === undefined ? undefined : steps * CONTEXT_STEP;
}
