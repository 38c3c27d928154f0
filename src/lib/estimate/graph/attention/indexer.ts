import type { KvCache } from '../../caches/kv-cache.js';
import { lightningIndexer, topK, topKMask } from '../../ggml/ops/sparse-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F16, F32, I64, type Tensor } from '../../ggml/tensor.js';
import { graphError } from '../../ggml/graph-error.js';
import { cacheMask, rotationInput } from './attention-input.js';
import { keyRows, storeK } from './kv-store.js';
import type { GraphBuilder } from '../builder.js';

/** A cache of an indexer's keys, and where the batch's go. */
export interface StoredKeys {
  readonly cache: KvCache;
  readonly kIndices: Tensor;
}

/** Inputs of a lightning indexer over its own cache of keys: `lid` of `llm_graph_input_attn_k_dsa`. */
export interface IndexerInput extends StoredKeys {
  readonly mask: Tensor;
  readonly rotation: Tensor | null;
}

/** The indexer's part of `build_attn_inp_k_dsa` (`src/llama-graph.cpp`, llama.cpp v0.5.0), whose op is always fused and needs an f16 mask. */
export function indexerInput(g: GraphBuilder): IndexerInput {
  const cache = g.memory.indexer;
  if (!cache) throw graphError('an indexer needs a cache of keys');
  return {
    cache,
    kIndices: ggml.newInput(I64, g.nTokens),
    mask: cacheMask(g, cache, F16),
    rotation: rotationInput(cache.kRotation),
  };
}

/** From b11435..b12032 on attention reads the indexer's mask where both are of one type, so its own may not be needed. */
export function maskToOpen(g: GraphBuilder, own: Tensor, indexer: IndexerInput): Tensor {
  return g.params.llama.fusedChoiceMask && indexer.mask.type === own.type ? indexer.mask : own;
}

/** Stores a layer's keys of the indexer, [size, 1, tokens], and returns all that the cache holds. */
export function indexerKeys(g: GraphBuilder, input: StoredKeys, layer: number, keys: Tensor): Tensor {
  const own = input.cache.layers.get(layer);
  if (!own) throw graphError(`layer ${layer} has no keys of the indexer`);
  const cache = g.cacheTensor(own.k);
  g.expand(storeK(cache, keys, input));
  return keyRows(cache, g.hparams.indexer.headSize, 1, input.cache);
}

/**
 * The lightning indexer of `src/models/deepseek32.cpp` (llama.cpp v0.5.0): the cells that each token attends to. `queries`:
 * [size, heads, tokens], `weights`: [heads, tokens], both before they are split into streams.
 */
export function bestCells(
  g: GraphBuilder,
  mask: Tensor,
  { queries, keys, weights }: { readonly queries: Tensor; readonly keys: Tensor; readonly weights: Tensor },
): Tensor {
  const streams = keys.ne[3];
  const q = ggml.view4d(
    queries,
    [queries.ne[0], queries.ne[1], queries.ne[2] / streams, streams],
    queries.nb[1],
    queries.nb[2],
    queries.nb[3] / streams,
    0,
  );
  const { ne, nb } = weights;
  const split = ggml.view4d(
    weights,
    [ne[0], ne[1] / streams, ne[2], streams],
    nb[1],
    nb[2] / streams,
    nb[3] / streams,
    0,
  );
  const score = lightningIndexer(q, keys, ggml.scale(split), mask);
  return ggml.cont(topK(score, Math.min(score.ne[0], g.hparams.indexer.topK)));
}

/** `build_attn` of `llm_graph_input_attn_k_dsa`: the cache's mask, open only where a token's best cells are. */
export function maskOfBest(g: GraphBuilder, layer: number, mask: Tensor, best: Tensor, zeros = F32): Tensor {
  if (g.params.llama.fusedChoiceMask && g.fused.has('choice-mask')) {
    const shaped = ggml.reshape(best, best.ne[0], mask.ne[1], mask.ne[2], mask.ne[3]);
    return g.runsFused('choice-mask', topKMask(mask, shaped), layer);
  }
  const closed = ggml.fill(mask);
  const { ne, nb } = closed;
  const byCell = ggml.view4d(closed, [1, ne[0], ne[1], ne[3]], nb[0], nb[1], nb[2], 0);
  const indices = ggml.view4d(
    best,
    [best.ne[0], best.ne[1], best.ne[3], 1],
    best.nb[1],
    best.nb[2],
    best.ne[3] * best.nb[3],
    0,
  );
  const [cells, tokens, streams] = indices.ne;
  const open = ggml.setRows(byCell, ggml.fill(ggml.newTensor(zeros, 1, cells, tokens, streams)), indices);
  const shaped = ggml.view4d(open, [open.ne[1], open.ne[2], 1, open.ne[3]], open.nb[2], open.nb[3], open.nb[3], 0);
  return ggml.add(shaped, mask);
}
