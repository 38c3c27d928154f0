import type { GgmlType } from '../../gguf/ggml-types.js';
import type { KvCache, KvLayer } from '../caches/kv-cache.js';
import * as ggml from '../ggml/ops.js';
import { F16, F32, type Four, I64, pad, type Tensor } from '../ggml/tensor.js';
import { maxVWidth } from '../../model/hparams.js';
import type { GraphBuilder } from './builder.js';
import { graphError } from '../ggml/graph-error.js';

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

export interface AttentionOptions {
  readonly bias?: Tensor | null;
  readonly sinks?: Tensor | null;
  /** Decompresses latent attention's values; K's rows hold V then. */
  readonly valueUp?: Tensor | null;
  /** Takes the cache's mask's place; of the cells that it leaves, at most so many. */
  readonly mask?: Tensor;
  readonly cellsLeft?: number;
  /** Tensor names of the output projection; null = none here. */
  readonly output?: string | null;
}

/** Heads in rows of a token: [head size, heads, tokens]. */
export interface Qkv {
  readonly q: Tensor;
  readonly k: Tensor | null;
  readonly v: Tensor | null;
}

/** `build_attn`: stores K and V, attends, projects. */
export function attention(
  g: GraphBuilder,
  input: AttentionInput,
  layer: number,
  qkv: Qkv,
  options: AttentionOptions = {},
): Tensor {
  const sliding = input.sliding !== null && g.hparams.isSwa[layer] === true;
  const kv = sliding ? input.sliding : input.full;
  let cur = kv
    ? attendOverCache(g, kv, layer, qkv, options, input.sliding !== null)
    : attendOverBatch(g, g.hparams.isSwa[layer] ? input.batchSlidingMask : input.batchMask, layer, qkv, options);
  const output = options.output === undefined ? 'attn_output' : options.output;
  if (output === null) return cur;
  const projection = g.layerWeight(layer, `${output}.weight`);
  if (projection) cur = g.mulMat(projection, cur, g.layerWeight(layer, `${output}.scale`));
  return g.addBias(cur, g.layerWeight(layer, `${output}.bias`));
}

function attendOverCache(
  g: GraphBuilder,
  kv: KvInput,
  layer: number,
  qkv: Qkv,
  options: AttentionOptions,
  windowed: boolean,
): Tensor {
  const latent = options.valueUp !== undefined && options.valueUp !== null;
  const { q, keys, values } = overCache(g, kv, layer, qkv, { latent, keysFirst: windowed && !latent });
  const cur = multiHead(g, layer, { q, k: keys, v: values }, options.mask ?? kv.mask, options);
  const { vRotation } = rotationsOf(g, kv, layer);
  return latent || !vRotation ? cur : ggml.mulMatHadamard(cur, vRotation);
}

/** A layer's own rotations (b12032), or those of all layers. */
function rotationsOf(g: GraphBuilder, kv: KvInput, layer: number): Pick<KvInput, 'kRotation' | 'vRotation'> {
  const { kRotation, vRotation } = cacheLayer(kv, layer);
  return {
    kRotation: kRotation ? g.cacheTensor(kRotation) : kv.kRotation,
    vRotation: vRotation ? g.cacheTensor(vRotation) : kv.vRotation,
  };
}

function cacheLayer({ cache }: KvInput, layer: number): KvLayer {
  const found = cache.layers.get(layer);
  if (!found) throw graphError(`layer ${layer} has no KV cache`);
  return found;
}

/** Queries, and all keys and values that the cache holds for a layer. */
export interface StoredHeads {
  readonly q: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** Rotates for quantization, stores K and V and reads the cache; `latent`: V is the first part of K's rows. */
export function overCache(
  g: GraphBuilder,
  kv: KvInput,
  layer: number,
  qkv: Qkv,
  { latent, keysFirst }: { readonly latent: boolean; readonly keysFirst: boolean },
): StoredHeads {
  const rotated = (tensor: Tensor, rotation: Tensor | null): Tensor =>
    rotation && !latent ? ggml.mulMatHadamard(tensor, rotation) : tensor;
  const { kRotation, vRotation } = rotationsOf(g, kv, layer);
  const q = rotated(qkv.q, kRotation);
  const k = qkv.k && rotated(qkv.k, kRotation);
  const v = qkv.v && rotated(qkv.v, vRotation);
  for (const tensor of keysFirst ? [q, k, v] : [q, v, k]) if (tensor) g.expand(tensor);

  const layerCache = cacheLayer(kv, layer);
  const cacheK = g.cacheTensor(layerCache.k);
  if (k) g.expand(storeK(cacheK, k, kv));
  const cacheV = layerCache.v && g.cacheTensor(layerCache.v);
  if (v && cacheV) g.expand(storeV(cacheV, v, kv));

  const keys = readK(g, cacheK, layer, kv);
  if (cacheV) return { q, keys, values: readV(g, cacheV, layer, kv) };
  const { ne, nb } = keys;
  const values = ggml.view4d(keys, [(v as Tensor).ne[0], ne[1], ne[2], ne[3]], nb[1], nb[2], nb[3], 0);
  return { q, keys, values };
}

/** Stores a layer's keys and values without attending to them, as drafts do with what they are given of their target. */
export function storeHeads(
  g: GraphBuilder,
  kv: KvInput,
  layer: number,
  heads: { readonly k: Tensor; readonly v: Tensor },
): void {
  const rotated = (tensor: Tensor, rotation: Tensor | null): Tensor =>
    rotation ? ggml.mulMatHadamard(tensor, rotation) : tensor;
  const { kRotation, vRotation } = rotationsOf(g, kv, layer);
  const layerCache = cacheLayer(kv, layer);
  const k = rotated(heads.k, kRotation);
  const v = rotated(heads.v, vRotation);
  g.expand(storeK(g.cacheTensor(layerCache.k), k, kv));
  if (layerCache.v) g.expand(storeV(g.cacheTensor(layerCache.v), v, kv));
}

function attendOverBatch(
  g: GraphBuilder,
  mask: Tensor | null,
  layer: number,
  { q, k, v }: Qkv,
  options: AttentionOptions,
): Tensor {
  if (!k || !v || !mask) throw graphError('attention without a cache needs keys, values and a mask');
  for (const tensor of [q, k, v]) g.expand(tensor);
  if (!g.params.llama.paddedBatchAttention) return multiHead(g, layer, { q, k, v }, mask, options);
  const padded = ({ ne }: Tensor): Four => [ne[0], ne[1], mask.ne[0], ne[3]];
  const keys = ggml.padTo(k, padded(k));
  const values = ggml.padTo(v, padded(v));
  const bias = options.bias ? ggml.padTo(options.bias, [mask.ne[0], ...rest(options.bias)]) : null;
  return multiHead(g, layer, { q, k: keys, v: values }, mask, { ...options, bias });
}

function rest({ ne: [, ne1, ne2, ne3] }: Tensor): [number, number, number] {
  return [ne1, ne2, ne3];
}

/** `llama_kv_cache::cpy_k`. */
export function storeK(
  cache: Tensor,
  k: Tensor,
  { kIndices, cache: { cells, streams } }: Pick<KvInput, 'kIndices' | 'cache'>,
): Tensor {
  const width = k.ne[0] * k.ne[1];
  const rows = ggml.view2d(k, width, k.ne[2], k.nb[2], 0);
  return ggml.setRows(streams > 1 ? ggml.reshape(cache, width, cells * streams) : cache, rows, kIndices);
}

/** `llama_kv_cache::cpy_v`: transposed, each element is a row of its own. */
function storeV(cache: Tensor, v: Tensor, { vIndices, cache: { cells, streams, vTransposed } }: KvInput): Tensor {
  const width = v.ne[0] * v.ne[1];
  const tokens = v.ne[2];
  if (!vTransposed) {
    const rows = ggml.view2d(v, width, tokens, v.nb[2], 0);
    return ggml.setRows(streams > 1 ? ggml.reshape(cache, width, cells * streams) : cache, rows, vIndices);
  }
  let rows = ggml.rowSize(v, width) === v.nb[2] ? ggml.reshape(v, width, tokens) : ggml.contTo(v, width, tokens);
  if (width < cache.ne[0]) rows = ggml.padTo(rows, [cache.ne[0], tokens, 1, 1]);
  const elements = cache.ne[0] * cache.ne[1] * cache.ne[2];
  return ggml.setRows(ggml.reshape(cache, 1, elements), ggml.reshape(rows, 1, rows.ne[0] * tokens), vIndices);
}

function readK(g: GraphBuilder, cache: Tensor, layer: number, { cache: kv }: KvInput): Tensor {
  const heads = g.head(layer);
  return keyRows(cache, heads.k, heads.kv, kv);
}

/** `llama_kv_cache::get_k`. */
export function keyRows(cache: Tensor, size: number, heads: number, { cells, read, streams }: KvCache): Tensor {
  const row = ggml.rowSize(cache, cache.ne[0]);
  return ggml.view4d(cache, [size, heads, read, streams], ggml.rowSize(cache, size), row, row * cells, 0);
}

/** `llama_kv_cache::get_v`. */
function readV(
  g: GraphBuilder,
  cache: Tensor,
  layer: number,
  { cache: { cells, read, streams, vTransposed } }: KvInput,
): Tensor {
  const { v, kv } = g.head(layer);
  const stream = ggml.rowSize(cache, cache.ne[0]) * cells;
  if (!vTransposed) {
    return ggml.view4d(
      cache,
      [v, kv, read, streams],
      ggml.rowSize(cache, v),
      ggml.rowSize(cache, cache.ne[0]),
      stream,
      0,
    );
  }
  const column = ggml.rowSize(cache, cells);
  return ggml.view4d(cache, [read, kv, v, streams], column * v, column, stream, 0);
}

/** `build_attn_mha`. */
export function multiHead(
  g: GraphBuilder,
  layer: number,
  qkv: { q: Tensor; k: Tensor; v: Tensor },
  mask: Tensor,
  options: AttentionOptions,
): Tensor {
  const { bias = null, sinks = null, valueUp = null, cellsLeft = 0 } = options;
  const transposed = qkv.v.nb[1] > qkv.v.nb[2];
  const streams = qkv.k.ne[3];
  const { ne, nb } = qkv.q;
  const perStream = ggml.view4d(qkv.q, [ne[0], ne[1], ne[2] / streams, streams], nb[1], nb[2], nb[3] / streams, 0);
  const q = ggml.permute(perStream, 0, 2, 1, 3);
  const k = ggml.permute(qkv.k, 0, 2, 1, 3);
  const v = ggml.permute(qkv.v, 0, 2, 1, 3);
  const cur =
    g.flashAttn && !bias
      ? flash(g, layer, q, k, transposed ? ggml.transpose(v) : v, mask, sinks, valueUp, cellsLeft)
      : softmaxAttention(g, q, k, transposed ? v : null, v, mask, bias, sinks, valueUp);
  return g.expand(cur);
}

function flash(
  g: GraphBuilder,
  layer: number,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor,
  sinks: Tensor | null,
  valueUp: Tensor | null,
  cellsLeft: number,
): Tensor {
  const half = (tensor: Tensor): Tensor => (tensor.type === F32 ? ggml.cast(tensor, F16) : tensor);
  let cur = ggml.flashAttnExt(q, half(k), half(v), mask, sinks);
  cur.cellsLeft = cellsLeft;
  g.flashNodes.push({ node: cur, layer });
  if (valueUp) {
    cur = ggml.mulMat(valueUp, ggml.permute(cur, 0, 2, 1, 3));
    cur = ggml.cont(ggml.permute(cur, 0, 2, 1, 3));
  }
  return ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2] * cur.ne[3]);
}

function softmaxAttention(
  g: GraphBuilder,
  q: Tensor,
  k: Tensor,
  vTransposed: Tensor | null,
  v: Tensor,
  mask: Tensor,
  bias: Tensor | null,
  sinks: Tensor | null,
  valueUp: Tensor | null,
): Tensor {
  let scores = ggml.mulMat(k, q);
  if (g.hparams.attnSoftCap) scores = ggml.scale(ggml.unary(ggml.scale(scores), 'tanh'));
  if (bias) scores = ggml.add(scores, bias);
  scores = ggml.softMax(scores, mask, sinks, false);
  let cur = ggml.mulMat(vTransposed ?? ggml.cont(ggml.transpose(v)), scores);
  if (valueUp) cur = ggml.mulMat(valueUp, cur);
  cur = ggml.permute(cur, 0, 2, 1, 3);
  cur = ggml.contTo(cur, cur.ne[0] * cur.ne[1], cur.ne[2] * cur.ne[3]);
  if (!g.offloadKqv) g.pinToCpu(cur);
  return cur;
}
