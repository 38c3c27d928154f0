import { trainedContext } from '../../estimate/context/trained-context.js';
import type { ModelShape } from '../../model/model-shape.js';
import { ALL_GPU_LAYERS, AUTO_GPU_LAYERS, type LaunchOptions } from '../../runtime/launch-options.js';
import { type Change, type ModelVariant, changedLaunch } from '../advice/advice.js';
import { COMPACT_CACHE } from '../advice/levers.js';
import type { Trials } from '../advice/trials.js';
import { growthRemedy } from '../judge/growth-remedy.js';
import { promptCacheMiB } from '../judge/tightness.js';
import type { CompletedVerdict } from '../judge/verdict.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';
import { bestOnCards } from './fit-cards.js';
import { type Candidate, type FitRequest, wantedContext } from './fit-search.js';

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

/**
 * `quality`: the largest quantization that holds the context asked for (8192 tokens where none is), then as much context
 * as fits beside it; where none holds what was asked for, as `context`. `context`: the longest context that a quantization of four bits or more holds, or of fewer
 * where only they hold what was asked for (8192 tokens where nothing is), then the largest such quantization. An 8-bit KV cache is used only where the plain one does not
 * reach; layers or experts stay on the host only where the GPU does not hold four bits a weight, and then up to half as many experts
 * again where that leaves room for 32768 tokens, or 16384, and no context was asked for. Undefined when nothing fits.
 */
export function fitLaunch(trials: Trials, request: FitRequest): FittedLaunch | undefined {
  const best = bestOnCards(trials, request);
  return best && finished(trials, best, request);
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

/** All of them, where they were left open: llama-server would leave some on the host by a margin of its own (`--fit`). */
function namedLayers(
  { hparams }: ModelShape,
  { accelerator, devices, gpuLayers = AUTO_GPU_LAYERS }: LaunchOptions,
): readonly Change[] {
  if (accelerator === 'cpu' || devices?.length === 0 || gpuLayers !== AUTO_GPU_LAYERS) return [];
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
