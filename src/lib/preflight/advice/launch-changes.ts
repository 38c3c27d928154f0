import type { EstimatePart, ResolvedLaunch } from '../../estimate/memory-estimate.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change, ModelVariant, Suggestion } from './advice.js';
import { isDiscrete } from '../judge.js';
import { CONTEXT_STEP, LEAST_USEFUL_CONTEXT, largestContext, largestWhere, type Trials } from './trials.js';

const SMALLER_UBATCHES = [256, 128, 64];
const COMPACT_CACHE = 'q8_0';
const UNQUANTIZED = /^(bf16|f16|f32)$/;
/** A context cut below this share of what was asked for is worth a compact cache as well. */
const MUCH_OF_THE_CONTEXT = 0.5;

/** A launch that was refused, and what else there is of the model, largest first. */
export interface Refused {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  /** What llama.cpp makes of `launch`. */
  readonly resolved: ResolvedLaunch;
  readonly variants: readonly ModelVariant[];
  /** KV cache and recurrent state, which do not depend on the quantization. */
  readonly caches: readonly EstimatePart[];
}

interface Attempt {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly changes: readonly Change[];
}

/** Changes that cost nothing or next to nothing in quality. */
type Lever = 'slots' | 'ubatch' | 'cache-type';
const LEVERS: readonly Lever[] = ['slots', 'ubatch', 'cache-type'];
/** Levers to pull together, cheapest first. */
const LEVER_SETS: readonly (readonly Lever[])[] = [
  ['slots'],
  ['cache-type'],
  ['slots', 'cache-type'],
  ['slots', 'cache-type', 'ubatch'],
];

/**
 * What to change in a refused launch so that it fits, cheapest in quality first: single changes, and, when none of them
 * leaves model and context as they are, changes taken together.
 */
export function launchChanges(trials: Trials, refused: Refused): readonly Suggestion[] {
  return new LaunchSearch(trials, refused).run();
}

class LaunchSearch {
  readonly #trials: Trials;
  readonly #refused: Refused;
  readonly #asked: Attempt;

  constructor(trials: Trials, refused: Refused) {
    this.#trials = trials;
    this.#refused = refused;
    this.#asked = { shape: refused.shape, launch: refused.launch, changes: [] };
  }

  run(): readonly Suggestion[] {
    const free = this.#isHopeless(this.#asked) ? [] : LEVERS.map((lever) => this.#pull(this.#asked, lever));
    const easy = free.flatMap((attempt) => this.#found(attempt));
    const placed = isDiscrete(this.#refused.launch.accelerator) ? this.#found(this.#moveToHost()) : [];
    const smaller = [this.#shrinkContext(this.#asked), this.#smallerQuantization()].flatMap((a) => this.#found(a));
    const together = easy.length > 0 ? [] : this.#combinations();
    return [...this.#found(this.#withoutProjector()), ...easy, ...placed, ...smaller, ...together];
  }

  /** Undefined where none is loaded, or the one that was named. */
  #withoutProjector(): Attempt | undefined {
    const isLoaded = this.#trials.room.beside?.projector !== undefined && this.#refused.launch.mmprojAuto !== false;
    if (!isLoaded || this.#refused.launch.mmproj !== undefined) return undefined;
    return changed(this.#asked, { mmprojAuto: false }, { kind: 'projector' });
  }

  #found(attempt: Attempt | undefined): readonly Suggestion[] {
    const verdict = attempt && this.#trials.fitting(attempt.shape, attempt.launch);
    return verdict === undefined ? [] : [{ changes: attempt?.changes ?? [], verdict }];
  }

  #fits(attempt: Attempt | undefined): boolean {
    return attempt !== undefined && this.#trials.fitting(attempt.shape, attempt.launch) !== undefined;
  }

  /** What cannot shrink is too much already. */
  #isHopeless({ shape, launch }: Attempt): boolean {
    return this.#trials.floorExceeds(shape, launch);
  }

  /** Of a model with the launch as it was asked for, whose caches are those of the refused one. */
  #fitsAsAsked(model: Attempt): boolean {
    const { caches } = this.#refused;
    return !this.#trials.floorExceeds(model.shape, model.launch, caches) && this.#fits(model);
  }

  /** With one lever pulled; undefined when it is pulled already, or cannot be. */
  #pull(attempt: Attempt, lever: Lever): Attempt | undefined {
    const { resolved } = this.#refused;
    switch (lever) {
      case 'slots':
        return resolved.slots === 1 ? undefined : changed(attempt, { parallel: 1 }, { kind: 'slots', slots: 1 });
      case 'cache-type': {
        const { cacheTypeK, cacheTypeV } = resolved;
        const isPlain = UNQUANTIZED.test(cacheTypeK) || UNQUANTIZED.test(cacheTypeV);
        if (!isPlain || attempt.launch.flashAttn === 'off') return undefined;
        const types = { cacheTypeK: COMPACT_CACHE, cacheTypeV: COMPACT_CACHE } as const;
        return changed(attempt, types, { kind: 'cache-type', type: COMPACT_CACHE });
      }
      case 'ubatch':
        return this.#smallerUbatch(attempt);
    }
  }

  /** The largest of the smaller ones that fits, else the smallest. */
  #smallerUbatch(attempt: Attempt): Attempt | undefined {
    const attempts = SMALLER_UBATCHES.filter((tokens) => tokens < this.#refused.resolved.nUbatch).map((tokens) =>
      changed(attempt, { ubatchSize: tokens }, { kind: 'ubatch', tokens }),
    );
    const smallest = attempts.at(-1);
    return this.#fits(smallest) ? attempts.find((smaller) => this.#fits(smaller)) : smallest;
  }

  /** With the largest context that fits; undefined when there is none of use. */
  #shrinkContext(attempt: Attempt): Attempt | undefined {
    if (this.#isHopeless(attempt)) return undefined;
    const { nCtx } = this.#refused.resolved;
    const bounds = { least: Math.min(LEAST_USEFUL_CONTEXT, nCtx), most: nCtx };
    const tokens = largestContext(this.#trials, attempt.shape, attempt.launch, bounds);
    return tokens === undefined ? undefined : changed(attempt, { ctxSize: tokens }, { kind: 'context', tokens });
  }

  #smallerQuantization(): Attempt | undefined {
    return this.#models.slice(1).find((model) => this.#fitsAsAsked(model));
  }

  /** The model as it is, and its smaller quantizations. */
  get #models(): readonly Attempt[] {
    const { variants, launch } = this.#refused;
    const others = variants.map((variant) => withVariant(variant, launch));
    return [this.#asked, ...others];
  }

  /** What a GPU with memory of its own can hold at the most: of the experts, else of the layers. */
  #moveToHost(): Attempt | undefined {
    const { shape, launch, resolved } = this.#refused;
    const { nExpert, nLayer } = shape.hparams;
    const withExperts = (count: number): Attempt =>
      changed(this.#asked, { cpuMoeLayers: nLayer - count }, { kind: 'cpu-experts', layers: nLayer - count });
    const withLayers = (count: number): Attempt =>
      changed(this.#asked, { gpuLayers: count }, { kind: 'gpu-layers', layers: count });
    if (nExpert > 0 && !launch.cpuMoeLayers) {
      const experts = largestWhere((count) => this.#fits(withExperts(count)), 0, nLayer - 1);
      if (experts !== undefined) return withExperts(experts);
    }
    const layers = largestWhere((count) => this.#fits(withLayers(count)), 0, resolved.gpuLayers - 1);
    return layers === undefined ? undefined : withLayers(layers);
  }

  /** The best quantization at all, and the best that leaves the context as it is, each with what else that takes. */
  #combinations(): readonly Suggestion[] {
    const models = this.#models.filter((model) => !this.#isHopeless(model));
    const alone = models.findIndex((model) => this.#fitsAsAsked(model));
    const better = alone < 0 ? models : models.slice(0, alone);
    const whole = better.findIndex((model) => this.#withLevers(model) !== undefined);
    const cut = firstFound(whole < 0 ? better : better.slice(0, whole), (model) => this.#withLessContext(model));
    const kept = better[whole];
    return [cut, kept && this.#withLevers(kept)]
      .filter((attempt) => attempt !== undefined && attempt.changes.length > 1)
      .flatMap((attempt) => this.#found(attempt));
  }

  /** The fewest levers with which a model fits as it is. */
  #withLevers(model: Attempt): Attempt | undefined {
    const attempts = this.#pulled(model);
    return this.#fits(attempts.at(-1)) ? attempts.find((attempt) => this.#fits(attempt)) : undefined;
  }

  /** With a smaller context, and with a compact cache too where much of the context would be lost without. */
  #withLessContext(model: Attempt): Attempt | undefined {
    const { nCtx } = this.#refused.resolved;
    const smallest = this.#pulled(model).at(-1);
    const ctxSize = Math.min(LEAST_USEFUL_CONTEXT, nCtx);
    if (smallest === undefined || !this.#fits({ ...smallest, launch: { ...smallest.launch, ctxSize } })) {
      return undefined;
    }
    const compact = this.#pull(model, 'cache-type');
    const enough = { ...model.launch, ctxSize: Math.ceil((nCtx * MUCH_OF_THE_CONTEXT) / CONTEXT_STEP) * CONTEXT_STEP };
    if (compact === undefined || this.#fits({ ...model, launch: enough })) return this.#shrinkContext(model);
    return this.#shrinkContext(compact) ?? this.#shrinkContext(model) ?? this.#shrinkContext(smallest);
  }

  #pulled(model: Attempt): readonly Attempt[] {
    return LEVER_SETS.map((levers) =>
      levers.reduce<Attempt>((attempt, lever) => this.#pull(attempt, lever) ?? attempt, model),
    );
  }
}

function withVariant(variant: ModelVariant, launch: LaunchOptions): Attempt {
  return { shape: variant.shape, launch, changes: [{ kind: 'quantization', variant }] };
}

function changed(attempt: Attempt, patch: Partial<LaunchOptions>, change: Change): Attempt {
  return { ...attempt, launch: { ...attempt.launch, ...patch }, changes: [...attempt.changes, change] };
}

function firstFound<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = find(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
