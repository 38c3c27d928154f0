import { topK } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, I32, I64, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import type { AttentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { indexerKeys, type StoredKeys } from '../../attention/indexer.js';

/** `llm_graph_input_qsa` (`src/models/qwen4exp.cpp`, llama.cpp v0.5.0): between blocks of tokens and the cells they lie in. */
interface BlockInput extends StoredKeys {
  readonly blockOfCell: Tensor;
  readonly cells: Tensor;
  readonly positions: Tensor;
  readonly bias: Tensor;
}

/** Each key of a block is added by itself; llama.cpp's own context of tensors is full long before (`GGML_ASSERT(obj_new)`). */
const MOST_POOLED = 1024;

/** `build_qsa_top_k`: the cells that each token of a layer attends to, all of a block or none; null where a layer attends to all. */
export function blockChooser(
  g: GraphBuilder,
  positions: Tensor,
  { full }: AttentionInput,
): (cur: Tensor, layer: number) => Tensor | null {
  const ratios = g.shape.keys.perLayer('attention.compress_ratios', g.hparams.nLayerAll, 0);
  const byRatio = new Map<number, BlockInput>();
  return (cur, layer) => {
    const ratio = ratios[layer] ?? 0;
    if (ratio === 0 || !g.memory.indexer) return null;
    if (ratio > MOST_POOLED)
      throw graphError(`attention.compress_ratios is ${ratio}, more than its graph has room for`);
    if (!full) throw graphError('attention over blocks needs a KV cache');
    const input = byRatio.get(ratio) ?? blockInput(g, ratio);
    byRatio.set(ratio, input);
    const keys = pooledKeys(g, input, cur, layer, ratio);
    return chosenCells(g, input, full.mask, scores(g, keys, cur, layer, positions, input), ratio);
  };
}

function blockInput(g: GraphBuilder, ratio: number): BlockInput {
  const cache = g.memory.indexer;
  if (!cache) throw graphError('an indexer needs a cache of keys');
  const { cells, streams: all } = cache;
  const streams = all > 1 ? g.nSeqs : 1;
  const blocks = Math.ceil(cells / ratio);
  return {
    cache,
    kIndices: ggml.newInput(I64, g.nTokens),
    blockOfCell: ggml.newInput(I32, cells, streams),
    cells: ggml.newInput(I32, ratio * blocks, streams),
    positions: ggml.newInput(I32, g.hparams.nPosPerEmbd * blocks * streams),
    bias: ggml.newInput(F32, blocks, g.nTokens / streams, streams),
  };
}

/** A key for each block, the mean of its tokens': [size, blocks, streams]. */
function pooledKeys(g: GraphBuilder, input: BlockInput, cur: Tensor, layer: number, ratio: number): Tensor {
  const { headSize: size } = g.hparams.indexer;
  const product = g.mulMat(g.layerNeed(layer, 'indexer.k_proj.weight'), cur);
  const stored = indexerKeys(g, input, layer, ggml.reshape(product, size, 1, g.nTokens));
  const [, , cells, streams] = stored.ne;
  const rows = ggml.view3d(stored, [size, cells, streams], stored.nb[2], stored.nb[3], 0);
  const blocks = input.cells.ne[0] / ratio;
  const members = ggml.reshape(ggml.getRows(rows, input.cells), size, ratio, blocks, streams);
  const { nb } = members;
  const slices = Array.from({ length: ratio }, (_, i) =>
    ggml.cont(ggml.view3d(members, [size, blocks, streams], nb[2], nb[3], i * nb[1])),
  );
  const mean = ggml.scale(slices.reduce((sum, slice) => ggml.add(sum, slice)));
  const normed = g.rmsNorm(ggml.reshape(mean, size, blocks * streams, 1), layer, 'indexer.k_norm.weight');
  const rotated = ggml.rope(ggml.reshape(normed, size, 1, blocks * streams), input.positions);
  return ggml.reshape(rotated, size, blocks, streams);
}

/** Of each block for each token, the heads' summed: [blocks, tokens, streams]. */
function scores(
  g: GraphBuilder,
  keys: Tensor,
  cur: Tensor,
  layer: number,
  positions: Tensor,
  { bias }: BlockInput,
): Tensor {
  const { headSize: size, heads } = g.hparams.indexer;
  const [, blocks, streams] = keys.ne;
  const tokens = g.nTokens / streams;
  const product = g.mulMat(g.layerNeed(layer, 'indexer.q_proj.weight'), cur);
  const normed = g.rmsNorm(ggml.reshape(product, size, heads, g.nTokens), layer, 'indexer.q_norm.weight');
  const queries = ggml.reshape(ggml.rope(normed, positions), size, heads * tokens, streams);
  const perHead = ggml.unary(ggml.reshape(ggml.mulMat(keys, queries), blocks, heads, tokens, streams), 'relu');
  const { nb } = perHead;
  const ofHead = (head: number): Tensor => ggml.view3d(perHead, [blocks, tokens, streams], nb[2], nb[3], head * nb[1]);
  let sum = ggml.cont(ofHead(0));
  for (let head = 1; head < heads; head++) sum = ggml.add(sum, ofHead(head));
  return ggml.add(sum, bias);
}

/** Whole blocks, and the tokens of one that is not full yet. */
function chosenCells(
  g: GraphBuilder,
  { blockOfCell }: BlockInput,
  mask: Tensor,
  byBlock: Tensor,
  ratio: number,
): Tensor {
  const cells = mask.ne[0];
  const [, tokens, streams] = byBlock.ne;
  const swapped = (tensor: Tensor): Tensor => ggml.cont(ggml.permute(tensor, 1, 0, 2, 3));
  const byCell = swapped(ggml.getRows(swapped(byBlock), blockOfCell));
  const open = mask.type === F32 ? mask : ggml.cast(mask, F32);
  const masked = ggml.add(byCell, ggml.reshape(open, cells, tokens, streams));
  const width = Math.min(cells, g.hparams.indexer.topK + ratio - 1);
  return ggml.reshape(ggml.cont(topK(masked, width)), width, tokens, 1, streams);
}
