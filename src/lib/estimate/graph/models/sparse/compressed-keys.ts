import type { CompressedCache } from '../../../caches/compressed.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { I32, I64, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { cacheMask, rotationInput } from '../../attention/attention-input.js';
import { keyRotation, keyRows, storeK } from '../../attention/kv-store.js';
import type { GraphBuilder } from '../../builder.js';

interface Moved {
  readonly from: Tensor;
  readonly to: Tensor;
}

/** `llm_graph_input_dsv4::comp_input` (`src/llama-graph.h`, llama.cpp v0.5.0). */
export interface CompressedInput {
  readonly cache: CompressedCache;
  /** Tokens' places in their blocks, the rows that become or leave the state, and the blocks that are done. */
  readonly places: Tensor;
  readonly keptFrom: Tensor;
  readonly keptTo: Tensor;
  /** Earlier states that are gone back to, and those that are kept: from which rows to which. */
  readonly restored: Moved | null;
  readonly snapshots: Moved | null;
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
    restored: moved(cache.state.kept > 0 ? cache.state.rows : 0),
    snapshots: moved(cache.state.kept * cache.state.rows),
    read: ggml.newInput(I32, (cache.overlaps ? 2 : 1) * cache.ratio * blocks),
    written: ggml.newInput(I64, blocks),
    positions: ggml.newInput(I32, blocks),
    mask: cacheMask(g, cache.keys, maskType),
    rotation: rotationInput(cache.keys.kRotation),
  };
}

function moved(rows: number): Moved | null {
  return rows > 0 ? { from: ggml.newInput(I32, rows), to: ggml.newInput(I32, rows) } : null;
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
  const { rows, kept } = cache.state;
  const all = (state: Tensor): Tensor => ggml.view2d(state, state.ne[0], rows * (1 + kept), state.nb[1], 0);
  const [stateKeys, stateScores] = [g.cacheTensor(own.keys), g.cacheTensor(own.scores)];
  const [earlierKeys, earlierScores] = [restore(input, all(stateKeys)), restore(input, all(stateScores))];
  const current = (state: Tensor): Tensor => ggml.view2d(state, state.ne[0], rows, state.nb[1], 0);
  const sourceKeys = ggml.concat(current(earlierKeys), keys, 1);
  const sourceScores = ggml.concat(current(earlierScores), scores, 1);
  const summed = cache.overlaps
    ? overlappingSum(input, sourceKeys, sourceScores)
    : blockSum(input, sourceKeys, sourceScores);
  const normed = g.rmsNorm(summed, layer, `${name}_norm.weight`);
  const rotated = ggml.rope(normed, input.positions);
  const rotation = keyRotation(g, { cache: input.cache.keys, rotation: input.rotation }, layer);
  const stored = rotation ? ggml.mulMatHadamard(rotated, rotation) : rotated;
  const place = g.cacheTensor(layerKeys(cache.keys.layers, layer).k);
  g.expand(storeK(place, stored, { kIndices: written, cache: cache.keys }));

  if (input.snapshots) {
    const { from, to } = input.snapshots;
    const [keptKeys, keptScores] = [ggml.concat(earlierKeys, keys, 1), ggml.concat(earlierScores, scores, 1)];
    g.expand(ggml.setRows(all(stateKeys), ggml.getRows(keptKeys, from), to));
    g.expand(ggml.setRows(all(stateScores), ggml.getRows(keptScores, from), to));
  }
  const [left, leftScores] = [ggml.getRows(keys, input.keptFrom), ggml.getRows(scores, input.keptFrom)];
  g.expand(ggml.setRows(all(stateKeys), left, input.keptTo));
  g.expand(ggml.setRows(all(stateScores), leftScores, input.keptTo));
}

/** `dsv4_build_state_restore`. */
function restore({ restored }: CompressedInput, state: Tensor): Tensor {
  return restored ? ggml.setRows(state, ggml.getRows(state, restored.from), restored.to) : state;
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
