import type { ModelShape } from '../model/model-shape.js';
import { llamaCpp } from '../runtime/llama-cpp.js';
import type { Accelerator, CacheType, LaunchOptions } from '../runtime/launch-options.js';
import { boundComputeBuffers } from './bound.js';
import { type ContextMemory, createMemory } from './cache.js';
import { type ComputeBuffers, computeBuffers } from './compute.js';
import { type ContextParams, resolveContext } from './context.js';
import type { GpuPlan } from './devices.js';
import type { DeviceBytes } from './ggml/device.js';
import { gpuOverheadBytes } from './gpu-overhead.js';
import { GRAPHS } from './graph/architectures.js';
import { graphError } from './ggml/graph-error.js';
import { growthParts } from './growth.js';
import { allLayers, representativeLayers } from './layers.js';
import type { Accuracy, EstimatePart, MemoryEstimate, PartName } from './memory-estimate.js';
import { Placement } from './placement.js';

/** Backends whose figures were held against llama.cpp's own allocator. */
const MEASURED: ReadonlySet<Accelerator> = new Set(['metal', 'cpu', 'cuda']);

/** Process, Metal library and pipelines, allocator slack: what llama-server takes beside its buffers. */
const RUNTIME_OVERHEAD: EstimatePart = {
  name: 'runtime-overhead',
  of: 'model',
  device: 'host',
  bytes: 500 * 2 ** 20,
  accuracy: 'modelled',
};

/**
 * What the launch's llama-server allocates for this model with these options, in bytes for each part and device.
 * `everyLayer` plans layers that repeat each other too; the figures are the same. `dryRun`: what llama.cpp's own dry run for
 * `--fit` says of compute buffers, which is not always what it will allocate.
 * @throws UsageError for combinations that llama.cpp refuses.
 * @throws CheckIncompleteError when the header lacks what the model's graph needs.
 */
export function estimateMemory(
  shape: ModelShape,
  launch: LaunchOptions,
  options: EstimateOptions = {},
): MemoryEstimate {
  const params = resolveContext(shape, launch);
  const placement = Placement.of(shape, launch);
  const memory = createMemory(shape, params, placement);
  const compute = planCompute(shape, launch, params, memory, placement, options);
  const version = llamaCpp(launch.llamaCpp);
  const accuracy = accuracyOn(launch);
  const planned = compute.described ? accuracy : 'bound';
  return {
    parts: [
      ...weightParts(placement, accuracy),
      ...partsOf('kv-cache', memory.kvBytes, planned, placement.gpus),
      ...partsOf('recurrent-state', memory.recurrentBytes, planned, placement.gpus),
      ...partsOf('compute', compute.bytes, planned, placement.gpus),
      ...partsOf('output', { gpus: [], cpu: outputBytes(shape, params) }, accuracy, placement.gpus),
      ...overheadParts(placement, launch),
    ],
    growth: growthParts(memory, params, shape.hparams.nSwa, launch),
    notes: [...version.notes, ...(compute.described ? [] : [undescribed(shape.architecture)])],
    resolved: {
      llamaCpp: version.name,
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
    },
  };
}

interface EstimateOptions {
  readonly everyLayer?: boolean;
  readonly dryRun?: boolean;
}

/** The parts that context, slots, batches and cache types do not change: cheap, and the least that a model takes. */
export function fixedMemory(shape: ModelShape, launch: LaunchOptions): Pick<MemoryEstimate, 'parts'> {
  const placement = Placement.of(shape, launch);
  const weights = weightParts(placement, accuracyOn(launch));
  return { parts: [...weights, ...overheadParts(placement, launch)] };
}

/** The process's own, and what each GPU with memory of its own needs beside its buffers. */
function overheadParts({ gpus }: Placement, { accelerator, gpuMemory }: LaunchOptions): EstimatePart[] {
  if (accelerator === 'metal') return [RUNTIME_OVERHEAD];
  const onGpus = gpus.used.map((gpu) => gpuOverheadBytes(gpuMemory?.[gpu]));
  return [...partsOf('runtime-overhead', { gpus: onGpus, cpu: 0 }, 'modelled', gpus), RUNTIME_OVERHEAD];
}

function accuracyOn({ accelerator, llamaCpp: version }: LaunchOptions): Accuracy {
  return MEASURED.has(accelerator) && llamaCpp(version).settled ? 'exact' : 'modelled';
}

function weightParts(placement: Placement, accuracy: Accuracy): EstimatePart[] {
  const { mapped, unread, copied } = placement.bytes();
  const { gpus } = placement;
  return [
    ...partsOf('weights', mapped, accuracy, gpus),
    ...partsOf('weights-unread', { gpus: [], cpu: unread }, accuracy, gpus),
    ...partsOf('weights-copy', copied, accuracy, gpus),
  ];
}

/** One part for each device that holds something; GPUs by the machine's numbers where it has several. */
function partsOf(name: PartName, { gpus, cpu }: DeviceBytes, accuracy: Accuracy, { used }: GpuPlan): EstimatePart[] {
  const parts: EstimatePart[] = [];
  for (const bytes of [...gpus, cpu]) {
    if (!(bytes >= 0 && bytes < Infinity)) throw graphError(`${name} of ${bytes} bytes`);
  }
  const several = used.length > 1 || (used[0] ?? 0) > 0;
  gpus.forEach((bytes, i) => {
    const gpu = several ? { gpu: used[i] as number } : {};
    if (bytes > 0) parts.push({ name, of: 'model', device: 'gpu', ...gpu, bytes, accuracy });
  });
  if (cpu > 0) parts.push({ name, of: 'model', device: 'host', bytes: cpu, accuracy });
  return parts;
}

interface PlannedCompute extends ComputeBuffers {
  /** The architecture's layer graph is known, so the figures are not a bound. */
  readonly described: boolean;
}

function planCompute(
  shape: ModelShape,
  launch: LaunchOptions,
  params: ContextParams,
  memory: ContextMemory,
  placement: Placement,
  { everyLayer = false, dryRun = false }: EstimateOptions,
): PlannedCompute {
  const { accelerator } = launch;
  const graph = GRAPHS[shape.architecture];
  if (!graph) return { ...boundComputeBuffers(shape, params, memory, placement, accelerator), described: false };
  const planned = everyLayer ? allLayers(shape) : representativeLayers(shape, placement, memory, graph.kindOf);
  const inputs = { shape, params, memory, placement, graph, planned, dryRun };
  return { ...computeBuffers(inputs), described: true };
}

function undescribed(architecture: string): string {
  return `the layer graph of architecture ${JSON.stringify(architecture)} is not described here: its caches and compute buffers are upper bounds`;
}

/** `llama_context::output_reserve` (`src/llama-context.cpp`): logits, and embeddings where asked for, of one row a slot. */
function outputBytes({ hparams }: ModelShape, { nSeqMax, embeddings }: ContextParams): number {
  return 4 * nSeqMax * (hparams.nVocab + (embeddings || hparams.encoder === 'with-decoder' ? hparams.nEmbdOut : 0));
}
