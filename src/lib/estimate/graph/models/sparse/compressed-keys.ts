import type { CompressedCache } from '../../../caches/compressed.js';
import * as ggml from '../../../ggml/ops.js';
import { I32, I64, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { cacheMask, keyRows, rotationInput, storeK } from '../../attention.js';
import type { GraphBuilder } from '../../builder.js';

/** `llm_graph_input_dsv4::comp_input` (`src/llama-graph.h`, llama.cpp v0.5.0). */
export interface CompressedInput {
  readonly cache: CompressedCache;
  /** Tokens' places in their blocks, the rows that become or leave the state, and the blocks that are done. */
  readonly places: Tensor;
  readonly keptFrom: Tensor;
  readonly keptTo: Tensor;
  readonly read: Tensor;
  readonly written: Tensor;
  readonly positions: Tensor;
  readonly mask: Tensor;
  readonly rotation: Tensor | null;
}

/** `dsv4_build_comp_inputs` with the plan of `dsv4_build_reserve_comp_plan` (`src/llama-kv-cache-dsv4.cpp`). */
export function compressedInput(g: GraphBuilder, cache: CompressedCache, maskType: Tensor['type']): CompressedInput {
  const blocks = Math.floor(g.nTokens / cache.ratio) + g.nSeqs;
  const kept = Math.min(g.nTokens, cache.state.rows);
  return {
    cache,
    places: ggml.newInput(I32, g.nTokens),
    keptFrom: ggml.newInput(I32, kept),
    keptTo: ggml.newInput(I32, kept),
    read: ggml.newInput(I32, (cache.overlaps ? 2 : 1) * cache.ratio * blocks),
    written: ggml.newInput(I64, blocks),
    positions: ggml.newInput(I32, blocks),
    mask: cacheMask(g, cache.keys, maskType),
    rotation: rotationInput(cache.keys.kRotation),
  };
}

/** All compressed keys of a layer: [size, 1, cells, streams]. */
export function compressedKeys(g: GraphBuilder, { cache: { keys } }: CompressedInput, layer: number): Tensor {
  const cache = g.cacheTensor(layerKeys(keys.layers, layer).k);
  const { ne, nb } = keyRows(cache, cache.ne[0], 1, keys);
  const rows = keyRows(cache, cache.ne[0], 1, keys);
  return ggml.view4d(rows, [...ne], nb[1], nb[2], nb[3], 0);
}

/** What the batch's tokens add to the blocks: a row and its weights each, by the tokens' places. */
export interface Compressor {
  readonly keys: Tensor;
  readonly scores: Tensor;
}

/** Names of a compressor's weights: `attn_compressor` or `indexer_compressor`. */
export function compressor(
  g: GraphBuilder,
  { places }: CompressedInput,
  cur: Tensor,
  layer: number,
  name: string,
): Compressor {
  const keys = g.mulMat(g.layerNeed(layer, `${name}_kv.weight`), cur);
  const gates = g.mulMat(g.layerNeed(layer, `${name}_gate.weight`), cur);
  return { keys, scores: ggml.add(gates, ggml.getRows(g.layerNeed(layer, `${name}_ape.weight`), places)) };
}

/** Stores the keys of the blocks that are done, then what is left of the batch. */
export function storeCompressed(
  g: GraphBuilder,
  input: CompressedInput,
  { keys, scores }: Compressor,
  layer: number,
  name: string,
): void {
  const { cache, written } = input;
  const own = layerKeys(cache.state.layers, layer);
  const all = (state: Tensor): Tensor => ggml.view2d(state, state.ne[0], cache.state.rows, state.nb[1], 0);
  const before = (state: Tensor): Tensor => {
    const rows = all(state);
    return ggml.view2d(rows, rows.ne[0], cache.state.rows, rows.nb[1], 0);
  };
  const [stateKeys, stateScores] = [g.cacheTensor(own.keys), g.cacheTensor(own.scores)];
  const sourceKeys = ggml.concat(before(stateKeys), keys, 1);
  const sourceScores = ggml.concat(before(stateScores), scores, 1);
  const summed = cache.overlaps
    ? overlappingSum(input, sourceKeys, sourceScores)
    : blockSum(input, sourceKeys, sourceScores);
  const normed = g.rmsNorm(summed, layer, `${name}_norm.weight`);
  const rotated = ggml.rope(normed, input.positions);
  const stored = input.rotation ? ggml.mulMatHadamard(rotated, input.rotation) : rotated;
  const place = g.cacheTensor(layerKeys(cache.keys.layers, layer).k);
  g.expand(storeK(place, stored, { kIndices: written, cache: cache.keys }));

  const keptKeys = ggml.setRows(all(stateKeys), ggml.getRows(keys, input.keptFrom), input.keptTo);
  const keptScores = ggml.setRows(all(stateScores), ggml.getRows(scores, input.keptFrom), input.keptTo);
  g.expand(keptKeys);
  g.expand(keptScores);
}

/** `build_hca_compressed_kv_from_state` up to the norm. */
function blockSum({ cache: { ratio }, read, written }: CompressedInput, keys: Tensor, scores: Tensor): Tensor {
  const rows = (source: Tensor): Tensor => ggml.reshape(ggml.getRows(source, read), source.ne[0], ratio, written.ne[0]);
  return weightedSum(rows(keys), rows(scores));
}

/** `build_overlap_compressed_kv_from_state` up to the norm: one half of a row is for its own block, one for the next. */
function overlappingSum({ cache: { ratio }, read, written }: CompressedInput, keys: Tensor, scores: Tensor): Tensor {
  const blocks = written.ne[0];
  const count = ratio * blocks;
  const size = keys.ne[0] / 2;
  const rowsOfKeys = ggml.getRows(withEmptyRow(keys), read);
  const rowsOfScores = ggml.getRows(withEmptyRow(scores), read);
  const half = (rows: Tensor, offset: number): Tensor =>
    ggml.reshape(ggml.cont(ggml.view2d(rows, size, count, rows.nb[1], offset)), size, ratio, blocks);
  const later = ({ nb }: Tensor): number => count * nb[1] + ggml.rowSize(keys, size);
  const before = [half(rowsOfKeys, 0), half(rowsOfScores, 0)] as const;
  const own = [half(rowsOfKeys, later(rowsOfKeys)), half(rowsOfScores, later(rowsOfScores))] as const;
  return weightedSum(ggml.concat(before[0], own[0], 1), ggml.concat(before[1], own[1], 1));
}

/** `dsv4_append_zero_row`. */
function withEmptyRow(rows: Tensor): Tensor {
  const empty = ggml.scale(ggml.view1d(rows, rows.ne[0], 0));
  return ggml.concat(rows, ggml.reshape(empty, rows.ne[0], 1), 1);
}

/** Rows of a block, summed column by column with the softmax of their scores. */
function weightedSum(rows: Tensor, scores: Tensor): Tensor {
  const byColumn = (tensor: Tensor): Tensor => ggml.cont(ggml.permute(tensor, 1, 0, 2, 3));
  const values = byColumn(rows);
  return byColumn(ggml.sumRows(ggml.mul(values, ggml.softMax(byColumn(scores)))));
}

function layerKeys<T>(layers: ReadonlyMap<number, T>, layer: number): T {
  const own = layers.get(layer);
  if (own === undefined) throw graphError(`layer ${layer} has no compressed keys`);
  return own;
}
