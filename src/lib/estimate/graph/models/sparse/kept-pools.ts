import { cumulativeSum, lightningIndexer, topK, topKMask } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I32, I64, pad, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { maskType } from '../../attention/attention-input.js';
import type { StoredKeys } from '../../attention/indexer.js';
import { storeK } from '../../attention/kv-store.js';
import type { AttentionOptions } from '../../attention/multi-head.js';
import type { GraphBuilder } from '../../builder.js';

/** `llm_graph_input_kpool` (`src/models/qwen4exp.cpp`, llama.cpp v0.8.0): blocks of cells, each with a key that is kept. */
interface PoolInput extends StoredKeys {
  /** Cells of a block. */
  readonly size: number;
  readonly cells: Tensor;
  readonly members: Tensor;
  readonly mask: Tensor;
  readonly tail: Tensor;
  /** Blocks that are made anew: their members, where their keys go, and positions. */
  readonly newMembers: Tensor;
  readonly newCells: Tensor;
  readonly newPositions: Tensor;
}

/** `kpool_pad` (`src/llama-memory-hybrid-idx.cpp`): the last block is always unused. */
const POOL_PADDING = 64;

/** `build_qsa_sel`: the mask of a layer that attends to whole blocks and the last, incomplete one; unset where it attends to all. */
export function keptPools(
  g: GraphBuilder,
  positions: Tensor,
): (cur: Tensor, layer: number) => AttentionOptions | undefined {
  const ratios = g.shape.keys.perLayer('attention.compress_ratios', g.hparams.nLayerAll, 0);
  const [size, ...others] = new Set(ratios.filter((ratio) => ratio > 0));
  if (size === undefined || !g.memory.indexer) return () => undefined;
  if (others.length > 0 || size === 1 || g.hparams.indexer.topK % size !== 0)
    throw graphError(`attention.compress_ratios ${[size, ...others].join()}`);
  const input = poolInput(g, size);
  return (cur, layer) => (ratios[layer] ? openBlocks(g, input, cur, layer, positions) : undefined);
}

/** All blocks that the cache can hold are made anew where memory is reserved. */
function poolInput(g: GraphBuilder, size: number): PoolInput {
  const cache = g.memory.indexer;
  if (!cache) throw graphError('an indexer needs a cache of keys');
  const most = Math.floor(cache.cells / size) * g.params.nSeqMax;
  const pools = Math.max(POOL_PADDING, pad(most + 1, POOL_PADDING));
  const made = Math.max(most, 1);
  const input = {
    cache,
    kIndices: ggml.newInput(I64, g.nTokens),
    size,
    cells: ggml.newInput(I32, pools),
    members: ggml.newInput(I32, size, pools),
    mask: ggml.newInput(F16, pools, g.nTokens),
    tail: ggml.newInput(I32, size - 1, g.nTokens),
    newMembers: ggml.reshape(ggml.newInput(I32, size, made), size * made),
    newCells: ggml.newInput(I64, made),
    newPositions: ggml.newInput(I32, g.hparams.nPosPerEmbd * made),
  };
  for (const tensor of [input.cells, input.members, input.mask, input.tail]) g.expand(tensor);
  return input;
}

function openBlocks(
  g: GraphBuilder,
  input: PoolInput,
  cur: Tensor,
  layer: number,
  positions: Tensor,
): AttentionOptions {
  const { headSize, heads, topK: most } = g.hparams.indexer;
  const pools = input.cells.ne[0];
  const keys = ggml.reshape(pooledKeys(g, input, cur, layer), headSize, 1, pools);
  const product = g.mulMat(g.layerNeed(layer, 'indexer.q_proj.weight'), cur);
  const normed = g.rmsNorm(ggml.reshape(product, headSize, heads, g.nTokens), layer, 'indexer.q_norm.weight');
  const queries = ggml.rope(normed, positions);
  const score = lightningIndexer(queries, keys, ggml.fill(ggml.newTensor(F32, heads, g.nTokens)), input.mask);
  const chosen = Math.min(pools, most / input.size);
  const { read, readStreams } = input.cache;
  const best = topK(score, chosen);
  const open = g.fused.has('choice-mask')
    ? openAtOnce(g, input, best, score, layer)
    : openByCells(g, input, best, score);
  return {
    mask: ggml.reshape(open, read, g.nTokens / readStreams, 1, readStreams),
    cellsLeft: input.size * chosen + input.size - 1,
  };
}

function openAtOnce(g: GraphBuilder, input: PoolInput, best: Tensor, score: Tensor, layer: number): Tensor {
  const keep = ggml.fill(ggml.newTensor(maskType(g), input.cache.read));
  return g.runsFused('choice-mask', topKMask(keep, best, score, input.members, input.tail), layer);
}

/** Zeros for the chosen cells, and a row of its own for each that is none. */
function openByCells(g: GraphBuilder, { cache, members, size, tail }: PoolInput, best: Tensor, score: Tensor): Tensor {
  const type = maskType(g);
  const tokens = g.nTokens;
  const [pools, cells] = [score.ne[0], best.ne[0] * size];
  const rows = ggml.getRows(members, ggml.reshape(best, best.ne[0] * tokens));
  const chosen = g.expand(ggml.concat(ggml.reshape(rows, cells, tokens), tail, 0));
  const count = chosen.ne[0];
  const width = cache.read + count;
  const filled = (length: number): Tensor =>
    ggml.reshape(ggml.repeat(ggml.fill(ggml.newTensor(type, length)), [length, tokens, 1, 1]), 1, length, tokens);
  const closed = filled(width);
  const zeros = filled(count);
  const scores = ggml.getRows(ggml.reshape(score, 1, pools, tokens), best);
  const seen = ggml.repeat(ggml.clamp(ggml.scale(scores)), [size, best.ne[0], tokens, 1]);
  const inTail = ggml.clamp(ggml.scale(ggml.cast(tail, F32)));
  const live = ggml.concat(ggml.reshape(seen, cells, tokens), inTail, 0);
  const dump = ggml.scale(cumulativeSum(ggml.fill(live)));
  const wanted = ggml.cast(chosen, F32);
  const cell = ggml.cast(ggml.add(ggml.mul(ggml.sub(wanted, dump), live), dump), I32);
  const open = ggml.setRows(closed, zeros, ggml.reshape(cell, count, tokens, 1));
  return ggml.cont(ggml.view2d(open, cache.read, tokens, open.nb[2], 0));
}

/** Stores the batch's keys, makes those of new blocks, keeps them beside, and returns those of all blocks: [size, blocks]. */
function pooledKeys(g: GraphBuilder, input: PoolInput, cur: Tensor, layer: number): Tensor {
  const { headSize } = g.hparams.indexer;
  const own = input.cache.layers.get(layer);
  if (!own) throw graphError(`layer ${layer} has no keys of the indexer`);
  const cache = g.cacheTensor(own.k);
  const raw = g.mulMat(g.layerNeed(layer, 'indexer.k_proj.weight'), cur);
  const none = ggml.fill(ggml.newTensor(F32, headSize, g.nTokens));
  const packed = ggml.reshape(ggml.concat(raw, none, 0), 2 * headSize, 1, g.nTokens);
  g.expand(storeK(cache, packed, input));
  const all = cache.ne[1] * cache.ne[2];
  const half = (offset: number): Tensor =>
    ggml.view2d(cache, headSize, all, cache.nb[1], ggml.rowSize(cache, offset * headSize));
  const kept = half(1);
  const made = input.newCells.ne[0];
  const rows = ggml.reshape(ggml.getRows(half(0), input.newMembers), headSize, input.size, made);
  const member = (i: number): Tensor => ggml.view2d(rows, headSize, made, rows.nb[2], i * rows.nb[1]);
  let sum = ggml.cont(member(0));
  for (let i = 1; i < input.size; i++) sum = ggml.add(sum, member(i));
  const normed = g.rmsNorm(ggml.scale(sum), layer, 'indexer.k_norm.weight');
  const rotated = ggml.rope(ggml.reshape(normed, headSize, 1, made), input.newPositions);
  g.expand(ggml.setRows(kept, ggml.reshape(rotated, headSize, made), input.newCells));
  return ggml.getRows(kept, input.cells);
}
