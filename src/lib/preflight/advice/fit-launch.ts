import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change, ModelVariant } from './advice.js';
import { CONTEXT_STEP, LEAST_USEFUL_CONTEXT, largestContext, type Trials } from './trials.js';
import { COMFORTABLE_SHARE, promptCacheMiB } from '../tightness.js';
import type { CompletedVerdict } from '../verdict.js';

const COMPACT_CACHE = 'q8_0';
/** What a conversation should have where nothing else is asked for. */
const USUAL_CONTEXT = 8192;
/** Bits per weight that a longer context is no reason to go below, until there is no other way to a usual one. */
const FLOORS_BITS = [4, 3.3, 0];
const DEFAULT_PROMPT_CACHE_MIB = 8192;

export const PREFERENCES = ['quality', 'context'] as const;
export type Preference = (typeof PREFERENCES)[number];

export interface FitRequest {
  readonly shape: ModelShape;
  readonly launch: LaunchOptions;
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
}

interface Candidate {
  readonly shape: ModelShape;
  readonly variant: ModelVariant | undefined;
  readonly launch: LaunchOptions;
  readonly isCompact: boolean;
  readonly nCtx: number;
}

/**
 * `quality`: the largest quantization that holds the context asked for (8192 tokens where none is), then as much context
 * as fits beside it. `context`: the longest context that a quantization of four bits or more holds, or of fewer
 * where that is short, then the largest such quantization. An 8-bit KV cache is used only where the plain one does not reach. Undefined when nothing fits.
 */
export function fitLaunch(trials: Trials, request: FitRequest): FittedLaunch | undefined {
  const candidates = candidatesOf(request);
  const best = request.prefer === 'quality' ? bestQuality(trials, request, candidates) : longest(trials, candidates);
  return best && finished(trials, best, request.shape.hparams.nCtxTrain);
}

type Model = Pick<Candidate, 'shape' | 'variant' | 'launch' | 'isCompact'>;

/** Largest quantization first, each with a plain cache and with a compact one. */
function candidatesOf({ shape, launch, variants }: FitRequest): readonly Model[] {
  const own: Pick<Candidate, 'shape' | 'variant'> = { shape, variant: undefined };
  const others = variants.map((variant) => ({ shape: variant.shape, variant }));
  const compact: LaunchOptions = { ...launch, cacheTypeK: COMPACT_CACHE, cacheTypeV: COMPACT_CACHE };
  const isChosen = launch.cacheTypeK !== undefined || launch.cacheTypeV !== undefined || launch.flashAttn === 'off';
  return [own, ...others]
    .sort((a, b) => b.shape.fileBytes - a.shape.fileBytes)
    .flatMap((model) => [
      { ...model, launch, isCompact: false },
      ...(isChosen ? [] : [{ ...model, launch: compact, isCompact: true }]),
    ]);
}

function bestQuality(trials: Trials, { launch, shape }: FitRequest, models: readonly Model[]): Candidate | undefined {
  const { nCtxTrain } = shape.hparams;
  const wanted = Math.min(launch.ctxSize || USUAL_CONTEXT, nCtxTrain);
  for (const least of [wanted, Math.min(LEAST_USEFUL_CONTEXT, wanted)]) {
    for (const model of models) {
      const nCtx = longestOf(trials, model, least);
      if (nCtx !== undefined) return { ...model, nCtx };
    }
  }
  return undefined;
}

function longest(trials: Trials, models: readonly Model[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const floor of FLOORS_BITS) {
    const some = models.filter(({ shape }) => (shape.fileBytes * 8) / shape.parameterCount >= floor);
    best = longestAmong(trials, some) ?? best;
    if (best !== undefined && best.nCtx >= Math.min(USUAL_CONTEXT, best.shape.hparams.nCtxTrain)) return best;
  }
  return best;
}

function longestAmong(trials: Trials, models: readonly Model[]): Candidate | undefined {
  const found = models.flatMap((model): Candidate[] => {
    const nCtx = longestOf(trials, model, Math.min(LEAST_USEFUL_CONTEXT, model.shape.hparams.nCtxTrain));
    return nCtx === undefined ? [] : [{ ...model, nCtx }];
  });
  return found.sort((a, b) => b.nCtx - a.nCtx)[0];
}

/** The longest context with room to spare, no longer than the model was trained with. */
function longestOf(trials: Trials, { shape, launch }: Model, least: number): number | undefined {
  if (trials.floorExceeds(shape, launch)) return undefined;
  const most = Math.ceil(shape.hparams.nCtxTrain / CONTEXT_STEP) * CONTEXT_STEP;
  return largestContext(trials, shape, launch, { least, most, spareShare: COMFORTABLE_SHARE });
}

function finished(trials: Trials, best: Candidate, nCtxTrain: number): FittedLaunch | undefined {
  const { shape, variant, nCtx, isCompact } = best;
  const sized: LaunchOptions = { ...best.launch, ctxSize: nCtx };
  const cacheRamMiB = fittingCacheMiB(trials.judge(shape, sized), sized);
  const launch = cacheRamMiB === undefined ? sized : { ...sized, cacheRamMiB };
  const verdict = trials.fitting(shape, launch);
  if (verdict === undefined) return undefined;
  const changes: Change[] = [
    ...(variant === undefined ? [] : [{ kind: 'quantization', variant } as const]),
    { kind: 'context', tokens: nCtx },
    ...(isCompact ? [{ kind: 'cache-type', type: COMPACT_CACHE } as const] : []),
  ];
  return { shape, launch, verdict, variant, changes, cacheRamMiB, contextIsWhole: nCtx >= nCtxTrain };
}

/** What of the prompt cache fits beside the rest; undefined when all of it does, or a limit was given. */
function fittingCacheMiB(verdict: CompletedVerdict | undefined, launch: LaunchOptions): number | undefined {
  if (verdict === undefined || launch.cacheRamMiB !== undefined) return undefined;
  const { growth } = verdict.estimate;
  if (!growth.some(({ name }) => name === 'prompt-cache')) return undefined;
  const whole = promptCacheMiB(verdict.limits, growth) ?? 0;
  return whole < DEFAULT_PROMPT_CACHE_MIB ? whole : undefined;
}
