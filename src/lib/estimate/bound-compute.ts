import { headKOf, headVOf } from '../model/hparams.js';
import type { ModelShape } from '../model/model-shape.js';
import type { Accelerator } from '../runtime/launch-options.js';
import type { ContextMemory } from './caches/cache.js';
import type { KvCache } from './caches/kv-cache.js';
import type { ComputeBuffers } from './context/planned-before.js';
import type { ContextParams } from './context/context-params.js';
import type { Placement } from './weights/placement.js';

const F32_BYTES = 4;
/** Every matrix's result, and as much again for what is done to it, could be alive at once. */
const COPIES_PER_RESULT = 2;
/** Residuals, norms and their copies beside the matrices. */
const ROWS_OF_EMBEDDING = 12;
/** Logits, and as they are scaled and capped. */
const COPIES_OF_LOGITS = 3;
/** Scores before and after softmax. */
const COPIES_OF_SCORES = 3;
/** Kernels' own areas and alignment. */
const SLACK_BYTES = 32 * 2 ** 20;

/**
 * Compute buffers of an architecture whose layer graph is not described here: not below what llama.cpp would allocate for
 * any of those that are. Everything that the widest layer's matrices produce for one ubatch counts as alive at once.
 */
export function boundComputeBuffers(
  shape: ModelShape,
  params: ContextParams,
  memory: ContextMemory,
  placement: Placement,
  accelerator: Accelerator,
): ComputeBuffers {
  const { hparams } = shape;
  const tokens = Math.max(Math.min(params.nCtx, params.nUbatch), params.nSeqMax);
  const outputs = Math.max(Math.min(tokens, params.nOutputsMax), params.nSeqMax);
  const layerBytes = widestLayer(shape) * COPIES_PER_RESULT * tokens * F32_BYTES;
  const rows = ROWS_OF_EMBEDDING * hparams.nEmbd * tokens * F32_BYTES;
  const logits = COPIES_OF_LOGITS * (hparams.nVocab + hparams.nEmbd) * outputs * F32_BYTES;
  const recurrent = memory.recurrent ? recurrentBytes(shape, tokens, params.nSeqMax) : 0;
  const flashAttn =
    params.flashAttn && (!params.autoFlashAttn || staysOn(shape, params, memory, placement, accelerator));
  const caches = [memory.base, memory.swa].filter((cache): cache is KvCache => cache !== null);
  const attention = Math.max(0, ...caches.map((cache) => attentionBytes(shape, cache, tokens, flashAttn)));
  const inputs = caches.reduce((sum, cache) => sum + cache.cells * tokens * F32_BYTES, rows) + SLACK_BYTES;

  const working = layerBytes + rows + logits + recurrent + attention + inputs;
  const onCpu = !placement.fullOffload || !params.offloadKqv || hasMatricesOnHost(placement);
  const onGpu = working + (onCpu ? largestExperts(shape) : 0);
  return { bytes: { gpus: placement.gpus.used.map(() => onGpu), cpu: onCpu ? working : inputs }, flashAttn };
}

/** Tables of which a token reads one row, and the head, which is counted by itself. */
const READ_BY_ROW = /^(token_embd|per_layer_token_embd|position_embd|token_types|output)\.weight$/;

/** Matrices that overrides keep on the host, as `--cpu-moe` does, are multiplied there where no GPU takes them over. */
function hasMatricesOnHost(placement: Placement): boolean {
  for (const {
    tensor: { name, dims },
    buffer: { device },
  } of placement.loaded())
    if (device === 'cpu' && dims.length > 1 && !READ_BY_ROW.test(name)) return true;
  return false;
}

/** Elements that one layer's matrices produce for a token. */
function widestLayer({ tensors, hparams }: ModelShape): number {
  const used = Math.max(1, ...hparams.nExpertUsed);
  const sums = new Map<string, number>();
  for (const { name, dims } of tensors.values()) {
    if (dims.length < 2 || READ_BY_ROW.test(name)) continue;
    const layer = /^blk\.\d+\./.exec(name)?.[0] ?? '';
    const width = (dims[1] ?? 1) * (dims.length > 2 && name.includes('_exps') ? used + 1 : (dims[2] ?? 1));
    sums.set(layer, (sums.get(layer) ?? 0) + width + (dims[0] ?? 0));
  }
  return Math.max(hparams.nEmbd, ...sums.values());
}

function attentionBytes({ hparams }: ModelShape, cache: KvCache, tokens: number, flashAttn: boolean): number {
  const heads = Math.max(1, ...hparams.nHead);
  if (!flashAttn) return COPIES_OF_SCORES * cache.cells * tokens * heads * F32_BYTES;
  let copies = 0;
  let rotated = 0;
  for (const [layer, { k }] of cache.layers) {
    const kvHeads = hparams.nHeadKv[layer] ?? 1;
    const width = (headKOf(hparams, layer) + headVOf(hparams, layer)) * kvHeads;
    copies = Math.max(copies, 2 * width * k.ne[1] * k.ne[2]);
    rotated = Math.max(rotated, heads * headVOf(hparams, layer));
  }
  const temporary = F32_BYTES * Math.min(tokens, 32) * heads * 32 * (Math.max(hparams.headV, hparams.headVSwa) + 2);
  return copies + temporary + COPIES_PER_RESULT * rotated * tokens * F32_BYTES + 2 * cache.cells * tokens;
}

/** Scanned or chunked states of each sequence beside the tokens' own. */
function recurrentBytes({ hparams: { ssm, nEmbd } }: ModelShape, tokens: number, sequences: number): number {
  const perToken = 8 * (ssm.inner + 2 * ssm.groups * ssm.state) + 4 * nEmbd;
  return F32_BYTES * (perToken * tokens + 4 * ssm.inner * ssm.state * sequences);
}

const GPU_HEAD_SIZES = new Set([32, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256, 320, 512, 576]);

/**
 * Automatic flash attention survives only if every layer's device is sure to run it; a CPU runs any. Recurrent layers between
 * those with attention may move it to another device when not all is offloaded.
 */
function staysOn(
  { hparams }: ModelShape,
  { typeK, typeV, offloadKqv }: ContextParams,
  memory: ContextMemory,
  placement: Placement,
  accelerator: Accelerator,
): boolean {
  if (accelerator === 'cpu') return true;
  const heads = GPU_HEAD_SIZES.has(hparams.headK) && GPU_HEAD_SIZES.has(hparams.headKSwa);
  const alike = placement.fullOffload || memory.recurrent === null;
  return heads && typeK === typeV && typeK.name !== 'IQ4_NL' && offloadKqv && alike;
}

/** Experts on the host are brought to the GPU one matrix at a time. */
function largestExperts({ tensors }: ModelShape): number {
  let largest = 0;
  for (const { name, bytes } of tensors.values()) if (name.includes('_exps')) largest = Math.max(largest, bytes);
  return 2 * largest;
}
