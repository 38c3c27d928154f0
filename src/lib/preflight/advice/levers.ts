import type { ResolvedLaunch } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { headroomBytes, type LimitCheck } from '../judge/verdict.js';
import type { Change, ModelVariant } from './advice.js';
import { largestNotNegative, type Trials } from './trials.js';

const SMALLER_UBATCHES = [256, 128, 64];
export const COMPACT_CACHE = 'q8_0';
export const UNQUANTIZED = /^(bf16|f16|f32)$/;
/** Ways to load that llama-server may need less memory for: without mapping the file, without repacking it, or both. */
const LOADS = [{ mmap: false }, { repack: false }, { mmap: false, repack: false }] as const;

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

  readonly #spareShare: number;

  /** @param spareShare of each budget is kept free */
  constructor(trials: Trials, resolved: ResolvedLaunch, spareShare = 0) {
    this.#trials = trials;
    this.#resolved = resolved;
    this.#spareShare = spareShare;
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

  /** Nothing is planned for what does not fit without compute buffers. */
  fits(attempt: Attempt): boolean {
    return this.#headroom(attempt, () => true) >= 0;
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
    const attempts = SMALLER_UBATCHES.filter((tokens) => tokens < this.#resolved.nUbatch).map((tokens) =>
      changed(attempt, { ubatchSize: tokens }, { kind: 'ubatch', tokens }),
    );
    const smallest = attempts.at(-1);
    return smallest && this.fits(smallest) ? attempts.find((smaller) => this.fits(smaller)) : smallest;
  }

  /** The way to load that leaves most; undefined where none leaves more than the launch as it is. */
  #otherLoad(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    let best: Attempt | undefined;
    let most = this.#trials.fixedHeadroom(shape, launch);
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

  /** As much on the GPU as it holds: whole layers with experts on the host, else fewer layers, else both. */
  #otherPlacement(attempt: Attempt): Attempt | undefined {
    const { shape, launch } = attempt;
    if (launch.accelerator === 'cpu') return undefined;
    const { nExpert, nLayer } = shape.hparams;
    const before = launch.cpuMoeLayers ?? 0;
    const attempts = [
      nExpert > 0 && before < nLayer ? this.#withExpertsOnHost(attempt) : undefined,
      this.#withFewerLayers(attempt),
      nExpert > 0 && before < nLayer ? this.#withFewerLayers(withHostExperts(attempt, nLayer)) : undefined,
    ].filter((one) => one !== undefined);
    return attempts.find((one) => this.fits(one)) ?? attempts[0];
  }

  #withExpertsOnHost(attempt: Attempt): Attempt | undefined {
    const { nLayer } = attempt.shape.hparams;
    const before = attempt.launch.cpuMoeLayers ?? 0;
    if (this.#gpuHeadroom(attempt) >= 0) return undefined;
    const onGpu = largestNotNegative(
      (count) => this.#gpuHeadroom(withHostExperts(attempt, nLayer - count)),
      0,
      nLayer - before - 1,
    );
    return onGpu === undefined ? undefined : withHostExperts(attempt, nLayer - onGpu);
  }

  #withFewerLayers(attempt: Attempt): Attempt | undefined {
    const { nLayerAll } = attempt.shape.hparams;
    const all = nLayerAll + 1;
    const asked = attempt.launch.gpuLayers ?? -1;
    const now = asked < 0 ? all : Math.min(asked, all);
    if (now === all && this.#gpuHeadroom(attempt) >= 0) return undefined;
    const withLayers = (layers: number): Attempt =>
      changed(attempt, { gpuLayers: layers }, { kind: 'gpu-layers', layers, of: all });
    const most = largestNotNegative((layers) => this.#gpuHeadroom(withLayers(layers)), 0, all);
    return most === undefined || most === now ? undefined : withLayers(most);
  }

  /** What is left under the GPU's own limits. */
  #gpuHeadroom(attempt: Attempt): number {
    return this.#headroom(attempt, ({ name }) => name !== 'memory');
  }

  #headroom({ shape, launch }: Attempt, isMeant: (limit: LimitCheck) => boolean): number {
    const verdict = this.#trials.judge(shape, launch);
    if (verdict === undefined) return -Infinity;
    const left = verdict.limits
      .filter(isMeant)
      .map((limit) => headroomBytes(limit) - Math.max(0, limit.budget.bytes) * this.#spareShare);
    return Math.min(Infinity, ...left);
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
