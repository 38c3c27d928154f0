import { trainedContext, usefulContext } from '../../estimate/context/trained-context.js';
import type { ModelShape } from '../../model/model-shape.js';
import { ALL_GPU_LAYERS, AUTO_GPU_LAYERS, type LaunchOptions } from '../../runtime/launch-options.js';
import { type Change, type ModelVariant, changedLaunch } from '../advice/advice.js';
import { type Attempt, COMPACT_CACHE, type Lever, Levers } from '../advice/levers.js';
import { largestContext } from '../advice/largest-fitting.js';
import { LEAST_USEFUL_CONTEXT, type Trials } from '../advice/trials.js';
import { growthRemedy } from '../judge/growth-remedy.js';
import { COMFORTABLE_SHARE, promptCacheMiB } from '../judge/tightness.js';
import type { CompletedVerdict } from '../judge/verdict.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/** What a conversation should have where nothing else is asked for. */
const USUAL_CONTEXT = 8192;

/** What is worth some more experts on the host, the longest first; and at most so many of those that are there anyway. */
const ROOMIER_CONTEXTS = [32_768, 16_384];
const MOST_MORE_EXPERTS = 1.5;

export const PREFERENCES = ['quality', 'context'] as const;
export type Preference = (typeof PREFERENCES)[number];

export interface FitRequest {
  readonly shape: ModelShape;
  /** As a check has it; only what the user asked for binds the search. */
  readonly launch: LaunchOptions;
  readonly asked: {
    /** Tokens; unset or 0 where no context was asked for. */
    readonly ctxSize?: number | undefined;
    /** A quantization was asked for, and no other will do. */
    readonly quantization?: boolean;
  };
  /** Other quantizations, in any order. */
  readonly variants: readonly ModelVariant[];
  readonly prefer: Preference;
}

/** The best launch of a model on a machine. */
export interface FittedLaunch {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
  readonly verdict: CompletedVerdict;
  readonly variant: ModelVariant | undefined;
  readonly changes: readonly Change[];
  /** Megabytes that the prompt cache may take, where its default would not fit. */
  readonly cacheRamMiB: number | undefined;
  readonly contextIsWhole: boolean;
  /** The context is smaller than would fit, so that what grows after start-up has room. */
  readonly leavesRoomToGrow: boolean;
  /** Tokens that were asked for, where they are more than there is room for, or than the model was trained with. */
  readonly missedContext: number | undefined;
}

/** A model and a way to launch it, but for its context. */
interface Model extends Attempt {
  readonly variant: ModelVariant | undefined;
  readonly isCompact: boolean;
}

interface Candidate extends Model {
  readonly nCtx: number;
}

/** Where to look, in this order: weights may leave the GPU before they lose so many bits, and not for the sake of more. */
const LEAST_BITS = [4, 3.3, 0];
const STAGES = LEAST_BITS.flatMap((leastBits) => [false, true].map((isMoved) => ({ leastBits, isMoved })));
type Stage = (typeof STAGES)[number];

/**
 * `quality`: the largest quantization that holds the context asked for (8192 tokens where none is), then as much context
 * as fits beside it; where none holds what was asked for, as `context`. `context`: the longest context that a quantization of four bits or more holds, or of fewer
 * where only they hold what was asked for (8192 tokens where nothing is), then the largest such quantization. An 8-bit KV cache is used only where the plain one does not
 * reach; layers or experts stay on the host only where the GPU does not hold four bits a weight, and then up to half as many experts
 * again where that leaves room for 32768 tokens, or 16384, and no context was asked for. Undefined when nothing fits.
 */
export function fitLaunch(trials: Trials, request: FitRequest): FittedLaunch | undefined {
  const best = new FitSearch(trials, request).run();
  return best && finished(trials, best, request);
}

class FitSearch {
  readonly #trials: Trials;
  readonly #request: FitRequest;
  readonly #models: readonly Model[];

  constructor(trials: Trials, request: FitRequest) {
    this.#trials = trials;
    this.#request = request;
    this.#models = modelsOf(request);
  }

  run(): Candidate | undefined {
    const { asked, shape, launch, prefer } = this.#request;
    const trained = trainedContext(shape.hparams, launch);
    const usual = wantedContext({}, trained);
    const wanted = wantedContext(asked, trained);
    if (prefer === 'context' && wanted <= usual) return this.#longest(usual);
    const best = this.#largestWith(wanted);
    if (best !== undefined) return prefer === 'quality' ? best : this.#longest(wanted);
    // A context that was asked for is missed by as little as possible.
    if (prefer === 'context' || asked.ctxSize) return this.#longest(usual);
    return this.#largestWith(Math.min(LEAST_USEFUL_CONTEXT, wanted));
  }

  #largestWith(least: number): Candidate | undefined {
    for (const stage of STAGES) {
      for (const model of this.#modelsFor(stage)) {
        const found = this.#atLeast(model, least, stage);
        if (found !== undefined) return this.#withRoomierContext(found, model, stage);
      }
    }
    return undefined;
  }

  /** Where no context was asked for and experts leave the GPU anyway, some more of them for the sake of a long conversation. */
  #withRoomierContext(found: Candidate, model: Model, stage: Stage): Candidate {
    const layers = hostExpertLayers(found);
    if (layers === undefined || this.#request.asked.ctxSize) return found;
    const roomier = ROOMIER_CONTEXTS.filter((tokens) => tokens > found.nCtx && tokens <= model.shape.hparams.nCtxTrain);
    for (const tokens of roomier) {
      const other = this.#atLeast(model, tokens, stage);
      if (other && (hostExpertLayers(other) ?? Infinity) <= layers * MOST_MORE_EXPERTS) return other;
    }
    return found;
  }

  /** Where to look is settled once `wanted` tokens fit. */
  #longest(wanted: number): Candidate | undefined {
    let best: Candidate | undefined;
    for (const stage of STAGES) {
      for (const model of this.#modelsFor(stage)) {
        const found = this.#longestOf(model, wanted, stage);
        if (found !== undefined && found.nCtx > (best?.nCtx ?? 0)) best = found;
      }
      if (best !== undefined && best.nCtx >= wanted) return best;
    }
    return best;
  }

  /** Weights that leave the GPU are no larger than those that were asked for. */
  #modelsFor({ leastBits, isMoved }: Stage): readonly Model[] {
    const { shape } = this.#request;
    return this.#models.filter(
      (model) => bitsOf(model.shape) >= leastBits && !(isMoved && model.shape.fileBytes > shape.fileBytes),
    );
  }

  /** With the longest context from `least` on, and room to spare. */
  #atLeast(model: Model, least: number, { isMoved }: Stage): Candidate | undefined {
    const moved = isMoved ? this.#moved(model, least) : model;
    if (moved === undefined || this.#trials.floorExceeds(moved.shape, moved.launch)) return undefined;
    const { shape, launch } = moved;
    const most = usefulContext(shape, launch);
    const nCtx = largestContext(this.#trials, shape, launch, { least, most, spareShare: COMFORTABLE_SHARE });
    return nCtx === undefined ? undefined : { ...moved, nCtx };
  }

  #longestOf(model: Model, wanted: number, stage: Stage): Candidate | undefined {
    const trained = trainedContext(model.shape.hparams, model.launch);
    const least = Math.min(LEAST_USEFUL_CONTEXT, trained);
    if (!stage.isMoved) return this.#atLeast(model, least, stage);
    for (const tokens of halvings(trained, wanted, least)) {
      const found = this.#atLeast(model, tokens, stage);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Loaded otherwise, and with weights on the host, so that such a context fits. */
  #moved(model: Model, ctxSize: number): Model | undefined {
    const sized: Attempt = { ...model, launch: { ...model.launch, ctxSize } };
    const resolved = this.#trials.estimate(sized.shape, sized.launch)?.resolved;
    if (resolved === undefined) return undefined;
    const levers = new Levers(this.#trials, resolved, { spareShare: COMFORTABLE_SHARE, leavesOut: false });
    const sets: readonly (readonly Lever[])[] = [['load'], ['placement'], ['load', 'placement']];
    const found = sets.map((set) => levers.pullAll(sized, set)).find((one) => levers.fits(one));
    return (
      found && { ...model, launch: { ...found.launch, ctxSize: model.launch.ctxSize ?? 0 }, changes: found.changes }
    );
  }
}

/** Layers of which the experts stay on the host; undefined where none do, or layers leave the GPU as a whole. */
function hostExpertLayers({ changes }: Attempt): number | undefined {
  if (changes.some(({ kind }) => kind === 'gpu-layers')) return undefined;
  return changes.flatMap((change) => (change.kind === 'cpu-experts' ? [change.layers] : []))[0];
}

/** From the most down to the least, and what is wanted among them. */
function halvings(most: number, wanted: number, least: number): readonly number[] {
  const halves: number[] = [];
  for (let tokens = most; tokens >= least; tokens = Math.floor(tokens / 2)) halves.push(tokens);
  return [...new Set([...halves, wanted])].sort((a, b) => b - a);
}

/** Largest quantization first, each with a plain cache and with a compact one. */
function modelsOf({ shape, launch, variants, asked }: FitRequest): readonly Model[] {
  const own = { shape, variant: undefined, changes: [] };
  const others =
    asked.quantization === true ? [] : variants.map((variant) => ({ ...own, shape: variant.shape, variant }));
  const compact: LaunchOptions = { ...launch, cacheTypeK: COMPACT_CACHE, cacheTypeV: COMPACT_CACHE };
  const isChosen = launch.cacheTypeK !== undefined || launch.cacheTypeV !== undefined || launch.flashAttn === 'off';
  return [own, ...others]
    .sort((a, b) => b.shape.fileBytes - a.shape.fileBytes)
    .flatMap((model) => [
      { ...model, launch, isCompact: false },
      ...(isChosen ? [] : [{ ...model, launch: compact, isCompact: true }]),
    ]);
}

/** How few bits a weight were looked at for the sake of more context; 0 for any. */
export function leastBitsBeside(shape: ModelShape): number {
  return LEAST_BITS.find((least) => bitsOf(shape) >= least) ?? 0;
}

function bitsOf({ fileBytes, parameterCount }: ModelShape): number {
  return (fileBytes * 8) / parameterCount;
}

function finished(
  trials: Trials,
  best: Candidate,
  { shape: { hparams }, asked }: FitRequest,
): FittedLaunch | undefined {
  const { shape, variant, isCompact } = best;
  const trained = trainedContext(hparams, best.launch);
  const sized: LaunchOptions = { ...best.launch, ctxSize: best.nCtx };
  const cacheRamMiB = fittingCacheMiB(trials.judge(shape, sized), sized);
  const cached = cacheRamMiB === undefined ? sized : { ...sized, cacheRamMiB };
  const kept = [...keptWithin(trials, shape, cached, wantedContext(asked, trained)), ...namedLayers(shape, cached)];
  const launch = changedLaunch(cached, kept);
  const verdict = trials.fitting(shape, launch);
  if (verdict === undefined) return undefined;
  const nCtx = launch.ctxSize ?? best.nCtx;
  const changes: Change[] = [
    ...(variant === undefined ? [] : [{ kind: 'quantization', variant } as const]),
    { kind: 'context', tokens: nCtx },
    ...(isCompact ? [{ kind: 'cache-type', type: COMPACT_CACHE } as const] : []),
    ...best.changes,
    ...kept.filter(({ kind }) => kind !== 'context' && kind !== 'prompt-cache'),
  ];
  return {
    ...{ shape, launch, verdict, variant, changes },
    cacheRamMiB: launch.cacheRamMiB === best.launch.cacheRamMiB ? undefined : launch.cacheRamMiB,
    contextIsWhole: nCtx >= trained,
    leavesRoomToGrow: nCtx < best.nCtx,
    missedContext: asked.ctxSize !== undefined && nCtx < asked.ctxSize ? asked.ctxSize : undefined,
  };
}

function wantedContext({ ctxSize }: FitRequest['asked'], trained: number): number {
  return Math.min(ctxSize || USUAL_CONTEXT, trained);
}

/** All of them, where they were left open: llama-server would leave some on the host by a margin of its own (`--fit`). */
function namedLayers(
  { hparams }: ModelShape,
  { accelerator, gpuLayers = AUTO_GPU_LAYERS }: LaunchOptions,
): readonly Change[] {
  if (accelerator === 'cpu' || gpuLayers !== AUTO_GPU_LAYERS) return [];
  return [{ kind: 'gpu-layers', layers: ALL_GPU_LAYERS, of: hparams.nLayerAll + 1 }];
}

/** What else bounds what grows after start-up; the context that was asked for stays, where there is so much. */
function keptWithin(trials: Trials, shape: ModelShape, launch: LaunchOptions, wanted: number): readonly Change[] {
  const verdict = trials.judge(shape, launch);
  if (verdict === undefined) return [];
  const bounds = { leastContext: Math.min(wanted, launch.ctxSize ?? wanted), slotsLast: true };
  return growthRemedy(verdict, launch, (other) => trials.judge(shape, other), bounds) ?? [];
}

/** What of the prompt cache fits beside the rest; undefined when all of it does, or a limit was given. */
function fittingCacheMiB(verdict: CompletedVerdict | undefined, launch: LaunchOptions): number | undefined {
  if (verdict === undefined || launch.cacheRamMiB !== undefined) return undefined;
  const { growth } = verdict.estimate;
  if (!growth.some(({ name }) => name === 'prompt-cache')) return undefined;
  const whole = promptCacheMiB(verdict.limits, growth) ?? 0;
  return whole < SERVER_DEFAULTS.cacheRamMiB ? whole : undefined;
}
