import type { ResolvedLaunch } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import type { Change, ModelVariant } from './advice.js';
import { largestFitting } from './largest-fitting.js';
import { leastLeft, type Measure, type Trials } from './trials.js';

const SMALLER_UBATCHES = [64, 128, 256];
export const COMPACT_CACHE = 'q8_0';
export const UNQUANTIZED = /^(bf16|f16|f32)$/;
/** Of a graph's memory, what one layer more on the GPU, or more tokens at a time, leave at the least. */
const STEADY_SHARE = 0.5;
/** Ways to load that llama-server may need less memory for: without mapping the file, without repacking it, or both. */
const LOADS = [{ mmap: false }, { repack: false }, { mmap: false, repack: false }] as const;

/** Loading otherwise for less than this is not worth it. */
const LEAST_GAIN_BYTES = 2 ** 20;

/** A model and a launch of it, and what was changed to get there. */
export interface Attempt {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly changes: readonly Change[];
}

/** Changes that cost no quality, or next to none: only time, or requests that are served at once. */
export type Lever = 'load' | 'ubatch' | 'slots' | 'placement' | 'cache-type';

/** Pulls levers on launches of a model that was refused. */
export class Levers {
  readonly #trials: Trials;
  /** What llama.cpp makes of the launch that was refused. */
  readonly #resolved: ResolvedLaunch;
  readonly #left: Measure;
  /** Under the machine's limit, and under the GPU's own. */
  readonly #leftOfMemory: Measure;
  readonly #leftOnGpu: Measure;

  readonly #leavesOut: boolean;

  /**
   * @param spareShare of each budget is kept free
   * @param leavesOut options may be left out again that were typed, which no flag beside them can do
   */
  constructor(trials: Trials, resolved: ResolvedLaunch, { spareShare = 0, leavesOut = true } = {}) {
    this.#leavesOut = leavesOut;
    this.#trials = trials;
    this.#resolved = resolved;
    this.#left = leastLeft(spareShare);
    this.#leftOfMemory = leastLeft(spareShare, ({ name }) => name === 'memory');
    this.#leftOnGpu = leastLeft(spareShare, ({ name }) => name !== 'memory');
  }

  /** With one lever pulled; undefined when it is pulled already, or cannot be. */
  pull(attempt: Attempt, lever: Lever): Attempt | undefined {
    switch (lever) {
      case 'slots':
        return this.#resolved.slots === 1 ? undefined : changed(attempt, { parallel: 1 }, { kind: 'slots', slots: 1 });
      case 'cache-type':
        return this.#compactCache(attempt);
      case 'ubatch':
        return this.#smallerUbatch(attempt);
      case 'load':
        return this.#otherLoad(attempt);
      case 'placement':
        return this.#otherPlacement(attempt);
    }
  }

  /** With each of these that can be pulled. */
  pullAll(attempt: Attempt, levers: readonly Lever[]): Attempt {
    return levers.reduce<Attempt>((pulled, lever) => this.pull(pulled, lever) ?? pulled, attempt);
  }

  /** Whether it fits with each of these pulled, all the way: cheaper than to find out how far they have to be. */
  canFitWith(attempt: Attempt, levers: readonly Lever[]): boolean {
    const pull = (pulled: Attempt, lever: Lever): Attempt | undefined =>
      lever === 'ubatch' ? this.#ubatches(pulled)[0] : this.pull(pulled, lever);
    return this.fits(levers.reduce<Attempt>((pulled, lever) => pull(pulled, lever) ?? pulled, attempt));
  }

  /** False where it cannot fit, as far as is known without planning a graph. */
  canFit({ shape, launch }: Attempt): boolean {
    return this.#trials.canFit(shape, launch, this.#left);
  }

  fits({ shape, launch }: Attempt): boolean {
    return this.#trials.fits(shape, launch, this.#left);
  }

  #compactCache(attempt: Attempt): Attempt | undefined {
    const { cacheTypeK, cacheTypeV } = this.#resolved;
    const isPlain = UNQUANTIZED.test(cacheTypeK) || UNQUANTIZED.test(cacheTypeV);
    if (!isPlain || attempt.launch.flashAttn === 'off') return undefined;
    const types = { cacheTypeK: COMPACT_CACHE, cacheTypeV: COMPACT_CACHE } as const;
    return changed(attempt, types, { kind: 'cache-type', type: COMPACT_CACHE });
  }

  /** The largest of the smaller ones that fits, else the smallest. */
  #smallerUbatch(attempt: Attempt): Attempt | undefined {
    const attempts = this.#ubatches(attempt);
    const withIndex = (index: number): Attempt => attempts[index] as Attempt;
    const holding = { measure: this.#left, steadyShare: STEADY_SHARE };
    return attempts[largestFitting(this.#trials, withIndex, 0, attempts.length - 1, holding) ?? 0];
  }

  /** The smallest first. */
  #ubatches(attempt: Attempt): readonly Attempt[] {
    return SMALLER_UBATCHES.filter((tokens) => tokens < this.#resolved.nUbatch).map((tokens) =>
      changed(attempt, { ubatchSize: tokens }, { kind: 'ubatch', tokens }),
    );
  }

  /** The way to load that leaves most; undefined where none leaves more than the launch as it is. */
  #otherLoad(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    let best: Attempt | undefined;
    let most = this.#trials.fixedHeadroom(shape, launch);
    if (this.#trials.fixedHeadroomAtMost(shape, launch) - most < LEAST_GAIN_BYTES) return undefined;
    for (const load of LOADS) {
      if ('mmap' in load && launch.mmap === false) continue;
      if ('repack' in load && launch.repack === false) continue;
      const headroom = this.#trials.fixedHeadroom(shape, { ...launch, ...load });
      if (headroom <= most) continue;
      most = headroom;
      best = changed(attempt, load, { kind: 'load', ...load });
    }
    return best;
  }

  /** As much on the GPU as it holds: fewer experts on the host, whole layers with experts on the host, else fewer layers, else both. */
  #otherPlacement(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    if (launch.accelerator === 'cpu' || this.#exceedsShared(attempt)) return undefined;
    if (!this.#trials.fitsTogether(shape, launch)) return undefined;
    const { nExpert, nLayer } = shape.hparams;
    const before = launch.cpuMoeLayers ?? 0;
    const hasExperts = nExpert > 0 && before < nLayer;
    const ways = [
      () => this.#withFewerExpertsOnHost(attempt),
      ...(hasExperts ? [() => this.#withExpertsOnHost(attempt)] : []),
      () => this.#withFewerLayers(attempt),
      ...(hasExperts ? [() => this.#withFewerLayers(withHostExperts(attempt, nLayer))] : []),
    ];
    let first: Attempt | undefined;
    for (const way of ways) {
      const moved = way();
      if (moved !== undefined && this.fits(moved)) return moved;
      first ??= moved;
    }
    return first;
  }

  /** True where all is on a GPU that shares the host's memory, and that is too small: whatever leaves the one is on the other. */
  #exceedsShared({ shape, launch }: Attempt): boolean {
    const { accelerator, gpuLayers = -1, cpuMoeLayers = 0 } = launch;
    const isShared = !isDiscrete(accelerator) || this.#trials.room.host.unifiedMemory === true;
    const isWhole = (gpuLayers < 0 || gpuLayers > shape.hparams.nLayerAll) && cpuMoeLayers === 0;
    return isShared && isWhole && !this.#trials.fits(shape, launch, this.#leftOfMemory);
  }

  #withExpertsOnHost(attempt: Attempt): Attempt | undefined {
    const { nLayer } = attempt.shape.hparams;
    const before = attempt.launch.cpuMoeLayers ?? 0;
    if (this.#fitsGpu(attempt)) return undefined;
    const onGpu = this.#mostOnGpu((count) => withHostExperts(attempt, nLayer - count), nLayer - before - 1);
    return onGpu === undefined ? undefined : withHostExperts(attempt, nLayer - onGpu);
  }

  /** Where the host is too small for experts that were sent there, and the GPU has room for them. */
  #withFewerExpertsOnHost(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    const { nExpert, nLayer } = shape.hparams;
    const { accelerator, cpuMoeLayers = 0, tensorOverrides } = launch;
    const canReturn = this.#leavesOut && isDiscrete(accelerator) && tensorOverrides === undefined;
    if (!canReturn || nExpert === 0 || cpuMoeLayers === 0 || !this.#fitsGpu(attempt)) return undefined;
    const onGpu = this.#mostOnGpu((count) => withHostExperts(attempt, nLayer - count), nLayer);
    if (onGpu === undefined || nLayer - onGpu >= cpuMoeLayers) return undefined;
    const layers = nLayer - onGpu;
    return changed(attempt, { cpuMoeLayers: layers }, { kind: 'cpu-experts', layers, isFewer: true });
  }

  #withFewerLayers(attempt: Attempt): Attempt | undefined {
    const { nLayerAll } = attempt.shape.hparams;
    const all = nLayerAll + 1;
    const asked = attempt.launch.gpuLayers ?? -1;
    const now = asked < 0 ? all : Math.min(asked, all);
    if (now === all && this.#fitsGpu(attempt)) return undefined;
    const withLayers = (layers: number): Attempt =>
      changed(attempt, { gpuLayers: layers }, { kind: 'gpu-layers', layers, of: all });
    const most = this.#mostOnGpu(withLayers, all);
    return most === undefined || most === now ? undefined : withLayers(most);
  }

  #fitsGpu({ shape, launch }: Attempt): boolean {
    return this.#trials.fits(shape, launch, this.#leftOnGpu);
  }

  /** How many of `all` the GPU holds; undefined where it holds not even none. */
  #mostOnGpu(withCount: (count: number) => Attempt, all: number): number | undefined {
    return largestFitting(this.#trials, withCount, 0, all, { measure: this.#leftOnGpu, steadyShare: STEADY_SHARE });
  }
}

function withHostExperts(attempt: Attempt, layers: number): Attempt {
  return changed(attempt, { cpuMoeLayers: layers }, { kind: 'cpu-experts', layers });
}

export function changed(attempt: Attempt, patch: Partial<LaunchOptions>, change: Change): Attempt {
  return { ...attempt, launch: { ...attempt.launch, ...patch }, changes: [...attempt.changes, change] };
}

export function withVariant(variant: ModelVariant, launch: LaunchOptions): Attempt {
  return { shape: variant.shape, launch, changes: [{ kind: 'quantization', variant }] };
}
