import type { ResolvedLaunch } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from '../judge/judge.js';
import type { Change, ModelVariant } from './advice.js';
import { largestFitting, largestOfWhich } from './largest-fitting.js';
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

/** Of so many, the more of them the GPU gets, the less the host. */
interface Placements {
  readonly withCount: (count: number) => Attempt;
  readonly all: number;
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
    return this.fits(this.#pullWholly(attempt, levers));
  }

  #pullWholly(attempt: Attempt, levers: readonly Lever[]): Attempt {
    const pull = (pulled: Attempt, lever: Lever): Attempt | undefined =>
      lever === 'ubatch' ? this.#ubatches(pulled)[0] : this.pull(pulled, lever);
    return levers.reduce<Attempt>((pulled, lever) => pull(pulled, lever) ?? pulled, attempt);
  }

  /** The same by what was planned so far: cheap, and only likely. */
  likelyFitsWith(attempt: Attempt, levers: readonly Lever[]): boolean {
    const left = ({ shape, launch }: Attempt, measure: Measure): number =>
      this.#trials.likelyHeadroom(shape, launch, measure) ?? -Infinity;
    const pulled = this.#pullWholly(
      attempt,
      levers.filter((lever) => lever !== 'placement'),
    );
    if (left(pulled, this.#left) >= 0) return true;
    if (!levers.includes('placement') || !mayUseGpu(pulled)) return false;
    if (this.#isWhollyShared(pulled) && left(pulled, this.#leftOfMemory) < 0) return false;
    return this.#placements(pulled).some(({ withCount, all }) => {
      const most = largestOfWhich((count) => left(withCount(count), this.#leftOnGpu) >= 0, 0, all);
      return most !== undefined && left(withCount(most), this.#left) >= 0;
    });
  }

  /** False where host and GPU share their memory. */
  canPlace({ launch }: Attempt): boolean {
    return isDiscrete(launch.accelerator) && this.#trials.room.host.unifiedMemory !== true;
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
    if (!mayUseGpu(attempt) || this.#exceedsShared(attempt)) return undefined;
    if (!this.#trials.fitsTogether(shape, launch)) return undefined;
    const { nExpert, nLayer } = shape.hparams;
    const before = launch.cpuMoeLayers ?? 0;
    const hasExperts = nExpert > 0 && before < nLayer;
    const ways = [
      () => this.#withFewerExpertsOnHost(attempt),
      ...(hasExperts ? [() => this.#withExpertsOnHost(attempt)] : []),
      () => this.#withFewerLayers(attempt),
      ...(hasExperts ? [() => this.#withHostExpertsAndFewerLayers(attempt)] : []),
    ];
    let first: Attempt | undefined;
    for (const way of ways) {
      const moved = way();
      if (moved !== undefined && this.fits(moved)) return moved;
      first ??= moved;
    }
    return first;
  }

  /** Where weights may go, by how many of their layers the GPU gets: with experts on the host, whole layers there, or both. */
  #placements(attempt: Attempt): readonly Placements[] {
    const { nExpert, nLayer } = attempt.shape.hparams;
    const before = attempt.launch.cpuMoeLayers ?? 0;
    const whole = this.#layersOnGpu(attempt);
    if (nExpert === 0 || before >= nLayer) return [whole];
    return [this.#expertsOnGpu(attempt), whole, this.#layersOnGpu(withHostExperts(attempt, nLayer))];
  }

  #expertsOnGpu(attempt: Attempt): Placements {
    const { nLayer } = attempt.shape.hparams;
    const all = nLayer - (attempt.launch.cpuMoeLayers ?? 0) - 1;
    return { withCount: (count) => withHostExperts(attempt, nLayer - count), all };
  }

  #layersOnGpu(attempt: Attempt): Placements {
    const all = attempt.shape.hparams.nLayerAll + 1;
    const withCount = (layers: number): Attempt =>
      changed(attempt, { gpuLayers: layers }, { kind: 'gpu-layers', layers, of: all });
    return { withCount, all };
  }

  /** True where all is on a GPU that shares the host's memory, and that is too small. */
  #exceedsShared(attempt: Attempt): boolean {
    return this.#isWhollyShared(attempt) && !this.#trials.fits(attempt.shape, attempt.launch, this.#leftOfMemory);
  }

  /** All is on a GPU that shares the host's memory: whatever leaves the one is on the other. */
  #isWhollyShared({ shape, launch }: Attempt): boolean {
    const isShared = !isDiscrete(launch.accelerator) || this.#trials.room.host.unifiedMemory === true;
    return isShared && hasAllLayersOnGpu({ shape, launch }) && (launch.cpuMoeLayers ?? 0) === 0;
  }

  #withExpertsOnHost(attempt: Attempt): Attempt | undefined {
    const placements = this.#expertsOnGpu(attempt);
    const least = this.#leastOnGpu(placements);
    if (least === undefined || this.#fitsGpu(attempt)) return undefined;
    const onGpu = this.#mostOnGpu(placements, least);
    return onGpu === undefined ? undefined : placements.withCount(onGpu);
  }

  /** Where the host is too small for experts that were sent there, and the GPU has room for them. */
  #withFewerExpertsOnHost(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    const { nExpert, nLayer } = shape.hparams;
    const { accelerator, cpuMoeLayers = 0, tensorOverrides } = launch;
    const canReturn = this.#leavesOut && isDiscrete(accelerator) && tensorOverrides === undefined;
    if (!canReturn || nExpert === 0 || cpuMoeLayers === 0 || !this.#fitsGpu(attempt)) return undefined;
    const onGpu = this.#mostOnGpu({ withCount: (count) => withHostExperts(attempt, nLayer - count), all: nLayer });
    if (onGpu === undefined || nLayer - onGpu >= cpuMoeLayers) return undefined;
    const layers = nLayer - onGpu;
    return changed(attempt, { cpuMoeLayers: layers }, { kind: 'cpu-experts', layers, isFewer: true });
  }

  #withFewerLayers(attempt: Attempt): Attempt | undefined {
    const placements = this.#layersOnGpu(attempt);
    const { all } = placements;
    const now = hasAllLayersOnGpu(attempt) ? all : attempt.launch.gpuLayers;
    const least = this.#leastOnGpu(placements);
    if (least === undefined || (now === all && this.#fitsGpu(attempt))) return undefined;
    const most = this.#mostOnGpu(placements, least);
    return most === undefined || most === now ? undefined : placements.withCount(most);
  }

  /** Nothing need leave a GPU that holds all layers as they are. */
  #withHostExpertsAndFewerLayers(attempt: Attempt): Attempt | undefined {
    if (hasAllLayersOnGpu(attempt) && this.#fitsGpu(attempt)) return undefined;
    return this.#withFewerLayers(withHostExperts(attempt, attempt.shape.hparams.nLayer));
  }

  #fitsGpu({ shape, launch }: Attempt): boolean {
    return this.#trials.fits(shape, launch, this.#leftOnGpu);
  }

  /** How many of `all` the GPU holds; undefined where it holds not even none, or not as many as the host leaves it. */
  #mostOnGpu(placements: Placements, least = this.#leastOnGpu(placements)): number | undefined {
    const { withCount, all } = placements;
    const holding = { measure: this.#leftOnGpu, steadyShare: STEADY_SHARE };
    return least === undefined ? undefined : largestFitting(this.#trials, withCount, least, all, holding);
  }

  /**
   * How many the host cannot hold, as far as is known without planning: it holds no less where the GPU holds fewer. Several GPUs may
   * share more layers otherwise, so that nothing is known of them. Undefined where the host cannot hold what is left of all.
   */
  #leastOnGpu({ withCount, all }: Placements): number | undefined {
    if ((this.#trials.room.host.gpus?.length ?? 1) > 1) return 0;
    const onHost = (fewer: number): boolean => {
      const { shape, launch } = withCount(all - fewer);
      return this.#trials.canFit(shape, launch, this.#leftOfMemory);
    };
    const most = largestOfWhich(onHost, 0, all);
    return most === undefined ? undefined : all - most;
  }
}

function mayUseGpu({ launch: { accelerator, devices } }: Attempt): boolean {
  return accelerator !== 'cpu' && devices?.length !== 0;
}

function hasAllLayersOnGpu({ shape, launch: { gpuLayers = -1 } }: Pick<Attempt, 'shape' | 'launch'>): boolean {
  return gpuLayers < 0 || gpuLayers > shape.hparams.nLayerAll;
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
