import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import { headroomBytes } from '../judge/verdict.js';
import type { Suggestion } from './advice.js';
import { largestOfWhich } from './largest-fitting.js';
import { leastLeft, type Trials } from './trials.js';

/** Launches that are planned to find out how few layers' experts have to leave. */
const MOST_PLANNED = 4;

/**
 * The same launch with its layers shared otherwise between two GPUs than by what is free on each, which loses nothing: as many on the
 * first as it holds. Undefined where nobody shares by layer, the shares were said, or the second does not hold the rest.
 */
export function otherShares(trials: Trials, shape: ModelShape, launch: LaunchOptions): Suggestion | undefined {
  if (openGpus(trials, launch) !== 2) return undefined;
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

/** How many GPUs share a launch by its layers, where nobody said how; 0 where something else holds. */
function openGpus({ room: { host } }: Trials, launch: LaunchOptions): number {
  const { gpus = [], unifiedMemory } = host;
  const { accelerator, splitMode = 'layer', tensorSplit, devices } = launch;
  const isShared = isDiscrete(accelerator) && unifiedMemory !== true && splitMode === 'layer';
  return isShared && tensorSplit === undefined && devices === undefined ? gpus.length : 0;
}

interface Shared {
  /** Whose experts stay on the host: the first ones, as `--n-cpu-moe` has it. */
  readonly layers: number;
  readonly shares: readonly number[];
}

/**
 * Experts of as few layers as possible on the host, and layers shared so that every GPU has what it holds: by what is free, the first
 * GPUs alone lose experts, and their room stays empty. Undefined where the model has none, all layers are not on GPUs, or none fits.
 */
export function sharedExperts(trials: Trials, shape: ModelShape, launch: LaunchOptions): Suggestion | undefined {
  const { nExpert, nLayer, nLayerAll } = shape.hparams;
  const { gpuLayers = -1, cpuMoeLayers: before = 0 } = launch;
  const isWhole = gpuLayers < 0 || gpuLayers > nLayerAll;
  const gpus = openGpus(trials, launch);
  if (gpus < 2 || nExpert === 0 || !isWhole || before >= nLayer) return undefined;
  let best: Suggestion | undefined;
  let [least, most] = [before + 1, nLayer];
  for (let planned = 0; planned < MOST_PLANNED && least <= most; planned++) {
    const found = fewestLikely(trials, shape, launch, { gpus, least, most });
    if (found === undefined) return best;
    const verdict = trials.fitting(shape, sharedLaunch(launch, found));
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

/** By what was planned so far. */
function fewestLikely(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  { gpus, least, most }: { gpus: number; least: number; most: number },
): Shared | undefined {
  const all = shape.hparams.nLayerAll + 1;
  const holds = (gpu: number, shared: Shared): boolean => {
    const left = leastLeft(0, (limit) => limit.name === 'gpu' && limit.gpu === gpu);
    return (trials.likelyHeadroom(shape, sharedLaunch(launch, shared), left) ?? -Infinity) >= 0;
  };
  const sharesWith = (layers: number): Shared | undefined => {
    const shares: number[] = [];
    let rest = all;
    for (let gpu = 0; gpu < gpus - 1; gpu++) {
      const others = new Array<number>(gpus - gpu - 2).fill(0);
      const given = (count: number): Shared => ({ layers, shares: [...shares, count, rest - count, ...others] });
      const own = largestOfWhich((count) => holds(gpu, given(count)), 0, rest) ?? 0;
      shares.push(own);
      rest -= own;
    }
    const shared = { layers, shares: [...shares, rest] };
    return holds(gpus - 1, shared) ? shared : undefined;
  };
  const onGpu = largestOfWhich((count) => sharesWith(most - count) !== undefined, 0, most - least);
  return onGpu === undefined ? undefined : sharesWith(most - onGpu);
}

function sharedLaunch(launch: LaunchOptions, { layers, shares }: Shared): LaunchOptions {
  return { ...launch, cpuMoeLayers: layers, tensorSplit: [...shares] };
}
