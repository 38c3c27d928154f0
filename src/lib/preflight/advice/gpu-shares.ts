import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import { headroomBytes, type CompletedVerdict } from '../judge/verdict.js';
import type { Suggestion } from './advice.js';
import { largestOfWhich } from './largest-fitting.js';
import { leastLeft, type Trials } from './trials.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';

/** Launches that are planned to find out how few layers' experts have to leave. */
const MOST_PLANNED = 4;

/**
 * The same launch with its layers shared otherwise between two GPUs than by what is free on each, which loses nothing: as many on the
 * first as it holds. Undefined where nobody shares by layer, the shares were said, or the second does not hold the rest.
 */
export function otherShares(trials: Trials, shape: ModelShape, launch: LaunchOptions): Suggestion | undefined {
  if (launch.devices !== undefined || openGpus(trials, launch).length !== 2) return undefined;
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

/** The GPUs that share a launch by its layers, by the machine's numbers, where nobody said how; none where something else holds. */
export function openGpus({ room: { host } }: Trials, launch: LaunchOptions): readonly number[] {
  const { gpus = [], unifiedMemory } = host;
  const { accelerator, splitMode = 'layer', tensorSplit, devices } = launch;
  const isShared = isDiscrete(accelerator) && unifiedMemory !== true && splitMode === 'layer';
  return isShared && tensorSplit === undefined ? (devices ?? gpus.map((_, gpu) => gpu)) : [];
}

interface Shared {
  /** Whose experts stay on the host: the first ones, as `--n-cpu-moe` has it. */
  readonly layers: number;
  readonly shares: readonly number[];
}

/**
 * Experts of as few layers as possible on the host, and layers shared so that every GPU has what it holds: by what is free, the first
 * GPUs alone lose experts, and their room stays empty. Undefined where the model has none, all layers are not on GPUs, or none fits.
 * @param spareShare of each budget is kept free
 */
export function sharedExperts(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  spareShare = 0,
): Suggestion | undefined {
  const { nExpert, nLayer } = shape.hparams;
  const { cpuMoeLayers: before = 0 } = launch;
  const gpus = openGpus(trials, launch);
  if (gpus.length < 2 || nExpert === 0 || !isWhole(shape, launch) || before >= nLayer) return undefined;
  let best: Suggestion | undefined;
  let [least, most] = [before + 1, nLayer];
  for (let planned = 0; planned < MOST_PLANNED && least <= most; planned++) {
    const found = fewestLikely(trials, shape, launch, { gpus, least, most, spareShare });
    if (found === undefined) return best;
    const verdict = fittingWith(trials, shape, sharedLaunch(launch, found), spareShare);
    if (verdict === undefined) least = found.layers + 1;
    else {
      const { layers, shares } = found;
      best = {
        changes: [
          { kind: 'cpu-experts', layers },
          { kind: 'tensor-split', shares },
        ],
        verdict,
      };
      most = layers - 1;
    }
  }
  return best;
}

/**
 * The longest context for which layers can be shared so that every GPU has what it holds, where all layers are on GPUs but for the experts
 * of so many, and those shares. Undefined where there are no two GPUs, or not even the least context fits.
 */
export function longestShared(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  { layers, least, most, spareShare }: { layers: number; least: number; most: number; spareShare: number },
): { readonly nCtx: number; readonly shares: readonly number[] } | undefined {
  const gpus = openGpus(trials, launch);
  if (gpus.length < 2 || !isWhole(shape, launch)) return undefined;
  const sized = (steps: number): LaunchOptions => ({ ...launch, ctxSize: steps * CONTEXT_STEP });
  const likely = (steps: number): Shared | undefined =>
    fewestLikely(trials, shape, sized(steps), { gpus, least: layers, most: layers, spareShare });
  const held = new Map<number, readonly number[]>();
  const isHeld = (steps: number): boolean => {
    const shared = likely(steps);
    const verdict = shared && fittingWith(trials, shape, sharedLaunch(sized(steps), shared), spareShare);
    if (verdict !== undefined) held.set(steps, shared?.shares ?? []);
    return verdict !== undefined;
  };
  const steps = largestOfWhich(
    isHeld,
    Math.ceil(least / CONTEXT_STEP),
    Math.floor(most / CONTEXT_STEP),
    (count) => likely(count) !== undefined,
  );
  const shares = steps === undefined ? undefined : held.get(steps);
  return steps === undefined || shares === undefined ? undefined : { nCtx: steps * CONTEXT_STEP, shares };
}

function isWhole({ hparams }: ModelShape, { gpuLayers = -1 }: LaunchOptions): boolean {
  return gpuLayers < 0 || gpuLayers > hparams.nLayerAll;
}

function fittingWith(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  spareShare: number,
): CompletedVerdict | undefined {
  return trials.fits(shape, launch, leastLeft(spareShare)) ? trials.fitting(shape, launch) : undefined;
}

interface Bounds {
  readonly gpus: readonly number[];
  readonly least: number;
  readonly most: number;
  readonly spareShare: number;
}

/** By what was planned so far. */
function fewestLikely(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  { gpus, least, most, spareShare }: Bounds,
): Shared | undefined {
  const all = shape.hparams.nLayerAll + 1;
  const last = gpus.length - 1;
  const holds = (index: number, shared: Shared): boolean => {
    const left = leastLeft(spareShare, (limit) => limit.name === 'gpu' && limit.gpu === gpus[index]);
    return (trials.likelyHeadroom(shape, sharedLaunch(launch, shared), left) ?? -Infinity) >= 0;
  };
  const sharesWith = (layers: number): Shared | undefined => {
    const shares: number[] = [];
    let rest = all;
    for (let index = 0; index < last; index++) {
      const others = new Array<number>(last - index - 1).fill(0);
      const given = (count: number): Shared => ({ layers, shares: [...shares, count, rest - count, ...others] });
      const own = largestOfWhich((count) => holds(index, given(count)), 0, rest) ?? 0;
      shares.push(own);
      rest -= own;
    }
    const shared = { layers, shares: [...shares, rest] };
    return holds(last, shared) ? shared : undefined;
  };
  const onGpu = largestOfWhich((count) => sharesWith(most - count) !== undefined, 0, most - least);
  return onGpu === undefined ? undefined : sharesWith(most - onGpu);
}

function sharedLaunch(launch: LaunchOptions, { layers, shares }: Shared): LaunchOptions {
  return { ...launch, ...(layers > 0 && { cpuMoeLayers: layers }), tensorSplit: [...shares] };
}
