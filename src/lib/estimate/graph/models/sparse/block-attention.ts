import { arange, topK } from '../../../ggml/ops/sparse-ops.js';
import { pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I32, I64, isContiguous, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import type { KvInput } from '../../attention/attention-input.js';
import type { StoredHeads } from '../../attention/kv-store.js';
import type { GraphBuilder } from '../../builder.js';
import type { StoredKeys } from '../../attention/indexer.js';

/** `llama_kv_cache_msa_context::get_n_pos` (`src/llama-kv-cache-msa.cpp`, llama.cpp v0.5.0) of an empty cache. */
const RESERVED_POSITIONS = 256;

/** `llm_graph_input_msa` (`src/models/minimax-m3.cpp`): between positions, of which blocks are made, and cells. */
export interface BlockInputs {
  readonly kv: KvInput;
  readonly indexer: StoredKeys;
  readonly size: number;
  readonly positions: number;
  readonly count: number;
  readonly chosen: number;
  readonly streams: number;
  readonly tokens: number;
  /** One token a stream: the chosen blocks are gathered, not masked. */
  readonly oneToken: boolean;
  readonly bias: Tensor;
  readonly positionMask: Tensor;
  readonly cells: Tensor;
  readonly cellsAsFloats: Tensor;
  readonly blockOfCell: Tensor;
  readonly mask: Tensor;
}

export function blockInputs(g: GraphBuilder, kv: KvInput): BlockInputs {
  const cache = g.memory.indexer;
  if (!cache) throw graphError('an indexer needs a cache of keys');
  const size = g.shape.keys.required('attention.indexer.block_size');
  const positions = paddedByBits(RESERVED_POSITIONS, size);
  const count = Math.floor(positions / size);
  const [cells, tokens, , streams] = kv.mask.ne;
  return {
    kv,
    indexer: { cache, kIndices: ggml.newInput(I64, g.nTokens) },
    size,
    positions,
    count,
    chosen: Math.min(g.hparams.indexer.topK, count),
    streams,
    tokens,
    oneToken: tokens === 1,
    bias: ggml.newInput(F32, count, g.nTokens),
    positionMask: ggml.newInput(F32, positions, g.nTokens),
    cells: ggml.newInput(I32, positions, streams),
    cellsAsFloats: ggml.newInput(F32, positions, streams),
    blockOfCell: ggml.newInput(I32, cells, streams),
    mask: ggml.cast(kv.mask, F32),
  };
}

/** `GGML_PAD` (`ggml/include/ggml.h`), which is a multiple of powers of 2 only. */
function paddedByBits(size: number, alignment: number): number {
  return (size + alignment - 1) & ~(alignment - 1);
}

/** Generation: the chosen blocks' keys and values are gathered; groups and streams are the attention's channels. */
export function attendOneToken(
  g: GraphBuilder,
  b: BlockInputs,
  queries: Tensor,
  keys: Tensor,
  { q, keys: k, values: v }: StoredHeads,
): Tensor {
  const { headSize, heads: groups } = g.hparams.indexer;
  const { size, positions, count, chosen, streams } = b;
  const nCells = keys.ne[2];
  const [width, kvHeads] = k.ne;
  const byCell = ggml.view3d(keys, [headSize, nCells, streams], keys.nb[2], keys.nb[3], 0);
  const byPosition = ggml.reshape(ggml.getRows(byCell, b.cells), headSize, positions, 1, streams);
  let scores = ggml.mulMat(byPosition, ggml.reshape(queries, headSize, groups, 1, streams));
  scores = ggml.addInplace(scores, ggml.reshape(b.positionMask, positions, 1, 1, streams));
  const best = topK(ggml.add(pool2d(scores, size, 1), ggml.reshape(b.bias, count, 1, 1, streams)), chosen);
  const starts = ggml.reshape(ggml.scale(ggml.cast(best, F32)), 1, chosen, groups, streams);
  const chosenPositions = ggml.add(
    ggml.repeat(starts, [size, chosen, groups, streams]),
    ggml.reshape(arange(size), size, 1, 1),
  );
  const all = size * chosen * groups;
  const positionIds = ggml.cast(ggml.reshape(chosenPositions, all, streams), I32);
  const cells = ggml.getRows(ggml.reshape(b.cellsAsFloats, 1, positions, streams), positionIds);
  const rows = ggml.add(
    ggml.scale(ggml.reshape(cells, size, chosen, groups, streams)),
    ggml.reshape(arange(kvHeads), 1, 1, groups),
  );
  const rowIds = ggml.cast(ggml.reshape(rows, all, streams), I32);
  const gathered = (cache: Tensor): Tensor => {
    const flat = ggml.view3d(cache, [width, kvHeads * nCells, streams], cache.nb[1], cache.nb[3], 0);
    const chosenRows = ggml.reshape(ggml.getRows(flat, rowIds), width, size * chosen, 1, groups * streams);
    const type = cache.type.elementsPerBlock > 1 ? F16 : cache.type;
    return chosenRows.type === type ? chosenRows : ggml.cast(chosenRows, type);
  };
  const masked = ggml.getRows(ggml.reshape(b.positionMask, 1, positions, streams), positionIds);
  const mask = ggml.cast(ggml.reshape(masked, size * chosen, 1, 1, groups * streams), F16);
  return flash(q, gathered(k), gathered(v), mask, q.ne[1] / kvHeads);
}

/** A prompt: each stream by itself, over all cells, with a mask that leaves the chosen blocks open. */
export function attendEachStream(
  g: GraphBuilder,
  b: BlockInputs,
  queries: Tensor,
  keys: Tensor,
  stored: StoredHeads,
): Tensor {
  const outputs = Array.from({ length: b.streams }, (_, stream) => attendStream(g, b, queries, keys, stored, stream));
  return outputs.reduce((all, output) => ggml.concat(all, output, 1));
}

function attendStream(
  g: GraphBuilder,
  b: BlockInputs,
  queries: Tensor,
  keys: Tensor,
  { q, keys: k, values: v }: StoredHeads,
  stream: number,
): Tensor {
  const { headSize, heads: groups } = g.hparams.indexer;
  const { size, positions, count, chosen, tokens } = b;
  const nCells = keys.ne[2];
  const ofTokens = (cur: Tensor, ne0: number, ne1: number): Tensor =>
    ggml.view3d(cur, [ne0, ne1, tokens], cur.nb[1], cur.nb[2], stream * tokens * cur.nb[2]);
  const perToken = (cur: Tensor, ne0: number): Tensor =>
    ggml.view3d(cur, [ne0, 1, tokens], cur.nb[1], cur.nb[1], stream * tokens * cur.nb[1]);
  const ofStream = (cache: Tensor): Tensor => {
    const { ne, nb } = cache;
    return ggml.view4d(cache, [ne[0], ne[1], nCells, 1], nb[1], nb[2], nb[3], stream * nb[3]);
  };
  const ownQueries = ofTokens(queries, headSize, groups);
  const ownKeys = ggml.view2d(keys, headSize, nCells, keys.nb[2], stream * keys.nb[3]);
  const ownCells = ggml.view1d(b.cells, positions, stream * b.cells.nb[1]);
  const bias = perToken(b.bias, count);
  let scores = ggml.mulMat(ggml.getRows(ownKeys, ownCells), ggml.reshape(ownQueries, headSize, groups * tokens));
  scores = ggml.addInplace(ggml.reshape(scores, positions, groups, tokens), perToken(b.positionMask, positions));
  const best = topK(ggml.add(pool2d(scores, size, 1), bias), chosen);
  const closed = ggml.repeat(ggml.cast(ggml.scale(bias), F16), [count, groups, tokens, 1]);
  const zero = ggml.scale(ggml.cast(best, F32));
  const open = ggml.setRows(
    ggml.reshape(closed, 1, count, groups * tokens),
    ggml.reshape(zero, 1, chosen, groups * tokens),
    ggml.reshape(best, chosen, groups * tokens),
  );
  const byGroup = ggml.cont(ggml.permute(ggml.reshape(open, count, groups, tokens), 0, 2, 1, 3));
  const byBlock = ggml.cont(ggml.transpose(ggml.reshape(byGroup, count, tokens * groups)));
  const blockOfCell = ggml.view1d(b.blockOfCell, nCells, stream * b.blockOfCell.nb[1]);
  const byCell = ggml.cont(ggml.transpose(ggml.getRows(byBlock, blockOfCell)));
  const ownMask = ggml.view3d(b.mask, [nCells, tokens, 1], b.mask.nb[1], b.mask.nb[3], stream * b.mask.nb[3]);
  const combined = ggml.addInplace(ggml.reshape(byCell, nCells, tokens, groups), ownMask);
  const mask = ggml.cast(ggml.reshape(combined, nCells, tokens, 1, groups), F16);
  const byHead = (cache: Tensor): Tensor => ggml.permute(ofStream(cache), 0, 3, 1, 2);
  return flash(ofTokens(q, q.ne[0], q.ne[1]), byHead(k), byHead(v), mask, q.ne[1] / k.ne[1]);
}

/** `build_attn_msa_fa`: `perGroup` query heads share a key head. */
function flash(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, perGroup: number): Tensor {
  const [size, heads, tokens] = q.ne;
  const channels = k.ne[3];
  const rows = (heads * tokens) / (perGroup * channels);
  const grouped = ggml.permute(ggml.reshape(q, size, perGroup, channels, rows), 0, 2, 3, 1);
  let out = ggml.permute(ggml.flashAttnExt(grouped, k, v, mask, null), 0, 1, 3, 2);
  if (!isContiguous(out)) out = ggml.cont(out);
  return ggml.reshape(out, size * heads, tokens);
}
