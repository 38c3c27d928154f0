import { trainedContext, usefulContext } from '../../estimate/context/trained-context.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { changedLaunch, type ModelVariant } from '../advice/advice.js';
import { longestShared, openGpus, sharedExperts } from '../advice/gpu-shares.js';
import { type Attempt, changed, COMPACT_CACHE, type Lever, Levers } from '../advice/levers.js';
import { largestContext } from '../advice/largest-fitting.js';
import { LEAST_USEFUL_CONTEXT, type Trials } from '../advice/trials.js';
import { COMFORTABLE_SHARE } from '../judge/tightness.js';

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

/** A model and a way to launch it, but for its context. */
interface Model extends Attempt {
  readonly variant: ModelVariant | undefined;
  readonly isCompact: boolean;
}

export interface Candidate extends Model {
  readonly nCtx: number;
  /** Where it was found: what is looked at earlier is better. */
  readonly stage: Stage;
}

/** Where to look, in this order: weights may leave the GPU before they lose so many bits, and not for the sake of more. */
const LEAST_BITS = [4, 3.3, 0];
const STAGES = LEAST_BITS.flatMap((leastBits) => [false, true].map((isMoved) => ({ leastBits, isMoved }))).map(
  (stage, order) => ({ ...stage, order }),
);
type Stage = (typeof STAGES)[number];

export class FitSearch {
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

  /** With the longest context from `least` on, and room to spare; layers are shared by what is free on each GPU, or as they hold more. */
  #atLeast(model: Model, least: number, stage: Stage): Candidate | undefined {
    const most = usefulContext(model.shape, model.launch);
    const free = this.#splitByFree(model, { least, most }, stage);
    if (free !== undefined && free.nCtx >= most && !stage.isMoved) return free;
    const shared = this.#shared(model, { least, most }, stage);
    if (free === undefined || shared === undefined) return shared ?? free;
    return isBetterPlaced(this.#trials, shared, free) ? shared : free;
  }

  #splitByFree(model: Model, { least, most }: Contexts, stage: Stage): Candidate | undefined {
    const moved = stage.isMoved ? this.#moved(model, least) : model;
    if (moved === undefined || this.#trials.floorExceeds(moved.shape, moved.launch)) return undefined;
    const { shape, launch } = moved;
    const nCtx = largestContext(this.#trials, shape, launch, { least, most, spareShare: COMFORTABLE_SHARE });
    return nCtx === undefined ? undefined : { ...moved, nCtx, stage };
  }

  /** Between several GPUs, so that each has what it holds; experts that leave are as few as then need to. */
  #shared(model: Model, { least, most }: Contexts, stage: Stage): Candidate | undefined {
    const { shape, launch, changes } = model;
    if (openGpus(this.#trials, launch).length < 2) return undefined;
    const fewest = stage.isMoved
      ? sharedExperts(this.#trials, shape, { ...launch, ctxSize: least }, COMFORTABLE_SHARE)
      : { changes: [] };
    if (fewest === undefined) return undefined;
    const experts = fewest.changes.filter(({ kind }) => kind === 'cpu-experts');
    const withExperts = changedLaunch(launch, experts);
    const layers = withExperts.cpuMoeLayers ?? 0;
    const bounds = { layers, least, most, spareShare: COMFORTABLE_SHARE };
    const found = longestShared(this.#trials, shape, withExperts, bounds);
    if (found === undefined) return undefined;
    const { nCtx, shares } = found;
    const all = [...changes, ...experts];
    const attempt = { shape, launch: withExperts, changes: all };
    return {
      ...model,
      ...changed(attempt, { tensorSplit: shares }, { kind: 'tensor-split', shares }),
      nCtx,
      stage,
    };
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

/** Tokens. */
interface Contexts {
  readonly least: number;
  readonly most: number;
}

/** With no layer off the GPUs but for its experts, with less of the weights on the host, with the longer context: the first that differs. */
export function isBetterPlaced(trials: Trials, one: Candidate, other: Candidate): boolean {
  const wholeLayers = ({ changes }: Candidate): number => changes.filter(({ kind }) => kind === 'gpu-layers').length;
  const onHost = ({ shape, launch, nCtx }: Candidate): number => {
    const parts = trials.judge(shape, { ...launch, ctxSize: nCtx })?.estimate.parts ?? [];
    const weights = parts.filter(({ name, device }) => /^weights(-copy)?$/.test(name) && device === 'host');
    return weights.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  return (wholeLayers(one) - wholeLayers(other) || onHost(one) - onHost(other) || other.nCtx - one.nCtx) < 0;
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

export function wantedContext({ ctxSize }: FitRequest['asked'], trained: number): number {
  return Math.min(ctxSize || USUAL_CONTEXT, trained);
}
