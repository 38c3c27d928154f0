import type { KvCache, KvLayer } from '../../caches/kv-cache.js';
import { graphError } from '../../ggml/graph-error.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { KvInput } from './attention-input.js';
import type { GraphBuilder } from '../builder.js';

/** Heads in rows of a token: [head size, heads, tokens]. */
export interface Qkv {
  readonly q: Tensor;
  readonly k: Tensor | null;
  readonly v: Tensor | null;
}

/** A layer's own rotations (b12032), or those of all layers. */
export function rotationsOf(g: GraphBuilder, kv: KvInput, layer: number): Pick<KvInput, 'kRotation' | 'vRotation'> {
  const { kRotation, vRotation } = cacheLayer(kv, layer);
  return {
    kRotation: kRotation ? g.cacheTensor(kRotation) : kv.kRotation,
    vRotation: vRotation ? g.cacheTensor(vRotation) : kv.vRotation,
  };
}

/** The same of a cache of keys only. */
export function keyRotation(
  g: GraphBuilder,
  { cache, rotation }: { readonly cache: KvCache; readonly rotation: Tensor | null },
  layer: number,
): Tensor | null {
  const own = cache.layers.get(layer)?.kRotation;
  return own ? g.cacheTensor(own) : rotation;
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
  return keyRows(cache, g.head(layer).k, g.hparams.nHeadKv[layer] as number, kv);
}

/** `llama_kv_cache::get_k`. */
export function keyRows(cache: Tensor, size: number, heads: number, { cells, read, readStreams }: KvCache): Tensor {
  const row = ggml.rowSize(cache, cache.ne[0]);
  return ggml.view4d(cache, [size, heads, read, readStreams], ggml.rowSize(cache, size), row, row * cells, 0);
}

/** `llama_kv_cache::get_v`. */
function readV(
  g: GraphBuilder,
  cache: Tensor,
  layer: number,
  { cache: { cells, read, readStreams, vTransposed } }: KvInput,
): Tensor {
  const { v } = g.head(layer);
  const kv = g.hparams.nHeadKv[layer] as number;
  const stream = ggml.rowSize(cache, cache.ne[0]) * cells;
  if (!vTransposed) {
    return ggml.view4d(
      cache,
      [v, kv, read, readStreams],
      ggml.rowSize(cache, v),
      ggml.rowSize(cache, cache.ne[0]),
      stream,
      0,
    );
  }
  const column = ggml.rowSize(cache, cells);
  return ggml.view4d(cache, [read, kv, v, readStreams], column * v, column, stream, 0);
}
