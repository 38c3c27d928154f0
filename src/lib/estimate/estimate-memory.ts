import type { ModelShape } from '../model/model-shape.js';
import { llamaCpp } from '../runtime/llama-cpp.js';
import type { CacheType, LaunchOptions } from '../runtime/launch-options.js';
import { growthParts } from './context/growth.js';
import type { MemoryEstimate, ResolvedLaunch } from './memory-estimate.js';
import { accuracyOn, overheadParts, partsOf, weightParts } from './parts.js';
import { Placement } from './weights/placement.js';
import { type ContextOptions, contextParts, planContext, type PlannedContext } from './context/plan-context.js';

/**
 * What the launch's llama-server allocates for this model with these options, in bytes for each part and device.
 * @throws UsageError for combinations that llama.cpp refuses.
 * @throws CheckIncompleteError when the header lacks what the model's graph needs.
 */
export function estimateMemory(shape: ModelShape, launch: LaunchOptions, options: ContextOptions = {}): MemoryEstimate {
  return estimateOf(planContext(shape, launch, options), launch);
}

/** The same of a context that was planned. */
export function estimateOf(context: PlannedContext, launch: LaunchOptions): MemoryEstimate {
  const { shape, params, placement, memory, described } = context;
  return {
    parts: [
      ...weightParts(placement, 'model', accuracyOn(launch)),
      ...contextParts(context, launch, 'model'),
      ...overheadParts(placement, launch, context.compute.scratch),
    ],
    growth: growthParts(memory, params, shape.hparams.nSwa, launch),
    notes: [
      ...llamaCpp(launch.llamaCpp).notes,
      ...(described ? [] : [undescribed(shape.architecture)]),
      ...(launch.accelerator === 'intel' ? [SYCL_BORROWS] : []),
      ...(params.expertCacheBytes > 0 && memory.experts === null ? [NO_EXPERTS_TO_CACHE] : []),
    ],
    resolved: { llamaCpp: llamaCpp(launch.llamaCpp).name, ...resolvedOf(context) },
  };
}

const SYCL_BORROWS =
  "which operations SYCL runs on the GPU is not described here: CUDA's rules stand in, so compute buffers may be larger than is said";
const NO_EXPERTS_TO_CACHE =
  'llama.cpp leaves --moe-cache-mib unused: no layer on a GPU has all of its experts in plain host memory, where repacked ones are not (--no-repack keeps them)';

function resolvedOf({ params, compute, placement }: PlannedContext): Omit<ResolvedLaunch, 'llamaCpp'> {
  return {
    nCtx: params.nCtx,
    nCtxSeq: params.nCtxSeq,
    slots: params.nSeqMax,
    kvUnified: params.kvUnified,
    flashAttn: compute.flashAttn,
    nBatch: params.nBatch,
    nUbatch: params.nUbatch,
    nOutputsMax: params.nOutputsMax,
    cacheTypeK: params.typeK.name.toLowerCase() as CacheType,
    cacheTypeV: params.typeV.name.toLowerCase() as CacheType,
    gpuLayers: placement.gpuLayers,
  };
}

/** The parts that context, slots, batches and cache types do not change: cheap, and the least that a model takes. */
export function fixedMemory(shape: ModelShape, launch: LaunchOptions): Pick<MemoryEstimate, 'parts'> {
  const placement = Placement.of(shape, launch);
  const weights = weightParts(placement, 'model', accuracyOn(launch));
  return { parts: [...weights, ...overheadParts(placement, launch)] };
}

/**
 * The same at the least, however the files are read.
 * @param isHostAlone of GPUs with memory of their own, what the host takes
 */
export function leastMemory(
  shape: ModelShape,
  launch: LaunchOptions,
  isHostAlone: boolean,
): Pick<MemoryEstimate, 'parts'> {
  const placement = Placement.of(shape, launch);
  const { all, onHost } = placement.leastBytes();
  const cpu = isHostAlone ? onHost : all;
  const kind = { name: 'weights', of: 'model', accuracy: 'bound' } as const;
  return {
    parts: [...partsOf(kind, { gpus: [], cpu }, placement.gpus), ...overheadParts(placement, launch)],
  };
}

export function undescribed(architecture: string): string {
  return `the layer graph of architecture ${JSON.stringify(architecture)} is not described here: its caches and compute buffers are upper bounds`;
}
