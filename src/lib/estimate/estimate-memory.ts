import { CheckIncompleteError } from '../errors.js';
import type { ModelShape } from '../model/model-shape.js';
import type { CacheType, LaunchOptions } from '../runtime/launch-options.js';
import { createMemory } from './cache.js';
import { computeBuffers } from './compute.js';
import { type ContextParams, resolveContext } from './context.js';
import { GRAPHS } from './graph/architectures.js';
import type { Accuracy, EstimatePart, MemoryEstimate, PartName } from './memory-estimate.js';
import { Placement } from './placement.js';

/** Process, Metal library and pipelines, allocator slack: what llama-server takes beside its buffers. */
const RUNTIME_OVERHEAD_BYTES = 500 * 2 ** 20;

/**
 * What llama-server v0.5.0 allocates for this model with these options, in bytes for each part and device.
 * @throws UsageError for combinations that llama.cpp refuses.
 * @throws CheckIncompleteError when the header lacks what the model's graph needs.
 */
export function estimateMemory(shape: ModelShape, launch: LaunchOptions): MemoryEstimate {
  const params = resolveContext(shape, launch);
  const placement = new Placement(shape, launch);
  const memory = createMemory(shape, params, placement);
  const buildGraph = GRAPHS[shape.architecture];
  if (!buildGraph) throw new CheckIncompleteError('TODO', shape.architecture);
  const compute = computeBuffers({ shape, params, memory, placement, accelerator: launch.accelerator, buildGraph });
  const weights = placement.bytes();
  const accuracy: Accuracy = launch.accelerator === 'metal' || launch.accelerator === 'cpu' ? 'exact' : 'modelled';
  const parts: EstimatePart[] = [];
  const add = (name: PartName, { gpu, cpu }: { gpu: number; cpu: number }, how: Accuracy): void => {
    if (gpu > 0) parts.push({ name, device: 'gpu', bytes: gpu, accuracy: how });
    if (cpu > 0) parts.push({ name, device: 'host', bytes: cpu, accuracy: how });
  };
  add('weights', weights.mapped, accuracy);
  add('weights-copy', weights.copied, accuracy);
  add('kv-cache', memory.kvBytes, accuracy);
  add('recurrent-state', memory.recurrentBytes, accuracy);
  add('compute', compute, accuracy);
  add('output', { gpu: 0, cpu: outputBytes(shape, params) }, accuracy);
  add('runtime-overhead', { gpu: 0, cpu: RUNTIME_OVERHEAD_BYTES }, 'modelled');
  return {
    parts,
    growth: [],
    notes: [],
    resolved: {
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

/** `llama_context::output_reserve` (`src/llama-context.cpp`): logits, and embeddings where asked for, of one row a slot. */
function outputBytes({ hparams }: ModelShape, { nSeqMax, embeddings }: ContextParams): number {
  return 4 * nSeqMax * (hparams.nVocab + (embeddings ? hparams.nEmbdOut : 0));
}
