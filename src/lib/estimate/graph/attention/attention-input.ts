import type { GgmlType } from '../../../gguf/ggml-types.js';
import { maxVWidth } from '../../../model/hparams.js';
import type { KvCache } from '../../caches/kv-cache.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F16, F32, I64, pad, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';

/** Inputs of attention over one KV cache: `llm_graph_input_attn_kv`. */
export interface KvInput {
  readonly cache: KvCache;
  readonly kIndices: Tensor;
  readonly vIndices: Tensor;
  readonly mask: Tensor;
  readonly kRotation: Tensor | null;
  readonly vRotation: Tensor | null;
}

/** Inputs of a model whose layers use one cache, two (sliding windows), or none (encoders). */
export interface AttentionInput {
  readonly full: KvInput | null;
  readonly sliding: KvInput | null;
  /** Without a cache: mask over the batch itself, and that of layers with a window. */
  readonly batchMask: Tensor | null;
  readonly batchSlidingMask: Tensor | null;
  /** The mask is over what an encoder made, which is never padded. */
  readonly isCross?: boolean;
}

/** What every layer of a decoder may read. */
export interface DecoderInputs {
  readonly positions: Tensor;
  readonly attention: AttentionInput;
}

/** `build_attn_inp_kv` and `build_attn_inp_kv_iswa` (`src/llama-graph.cpp`, llama.cpp v0.5.0); without a cache the batch's own. */
export function attentionInput(g: GraphBuilder): AttentionInput {
  const { base, swa } = g.memory;
  if (!base) return batchAttentionInput(g);
  return { full: kvInput(g, base), sliding: swa ? kvInput(g, swa) : null, batchMask: null, batchSlidingMask: null };
}

/** From b11435..b12032 on, as a cache would be. */
const BATCH_PADDING = 256;

/** `build_attn_inp_no_cache` (`src/llama-graph.cpp`, llama.cpp v0.5.0). */
export function batchAttentionInput(g: GraphBuilder): AttentionInput {
  const cells = g.params.llama.paddedBatchAttention ? pad(g.nTokens, BATCH_PADDING) : g.nTokens;
  const mask = (): Tensor => ggml.newInput(maskType(g), cells, g.nTokens);
  return { full: null, sliding: null, batchMask: mask(), batchSlidingMask: g.hparams.swa === 'none' ? null : mask() };
}

function kvInput(g: GraphBuilder, cache: KvCache): KvInput {
  return {
    cache,
    kIndices: ggml.newInput(I64, g.nTokens),
    vIndices: ggml.newInput(I64, g.nTokens * (cache.vTransposed ? maxVWidth(g.hparams) : 1)),
    mask: cacheMask(g, cache, maskType(g)),
    kRotation: rotationInput(cache.kRotation),
    vRotation: rotationInput(cache.vRotation),
  };
}

/** `build_attn_inp_kq_mask`: one for each sequence of the batch where the cache has one for each. */
export function cacheMask(g: GraphBuilder, { read, streams }: KvCache, type: GgmlType): Tensor {
  const sequences = streams > 1 ? g.nSeqs : 1;
  return ggml.newInput(type, read, g.nTokens / sequences, 1, sequences);
}

/** Of masks that flash attention reads. */
export function maskType(g: GraphBuilder): typeof F16 {
  return g.flashAttn ? F16 : F32;
}

/** The matrix that rows are rotated with, where they are. */
export function rotationInput(side: number): Tensor | null {
  return side > 0 ? ggml.newInput(F32, side, side) : null;
}
