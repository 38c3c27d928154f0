import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { inBlocks, M_ROPE_SECTIONS, temporalInput } from './qwen-vl.js';

/** Fewer heads of keys and values than of queries, as views of one product. */
function groupedHeads(
  { hparams: { nHead, nHeadKv }, patches }: ClipGraph,
  product: Tensor,
  headSize: number,
): { q: Tensor; k: Tensor; v: Tensor } {
  const row = ggml.rowSize(product, headSize);
  const part = (heads: number, before: number): Tensor =>
    ggml.view3d(product, [headSize, heads, patches], row, product.nb[1], ggml.rowSize(product, before * headSize));
  return { q: part(nHead, 0), k: part(nHeadKv, nHead), v: part(nHeadKv, nHead + nHeadKv) };
}

/** `clip_graph_exaone4_5` (`tools/mtmd/models/exaone4_5.cpp`, llama.cpp v0.5.0): Qwen2.5-VL with grouped heads. */
export function exaone(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, headSize, windowPattern, ffn, projectionDim } = g.hparams;
  const nPos = g.patches;
  let stream = inBlocks(g, ggml.permute(temporalInput(g), 1, 2, 0, 3));
  const positions = g.positions(nPos * M_ROPE_SECTIONS);
  let window: Tensor | null = null;
  if (windowPattern > 0) {
    window = windowMask(g);
    stream = ggml.getRows(ggml.reshape(stream, nEmbd * 4, nPos / 4), g.positions(nPos / 4));
    stream = ggml.reshape(stream, nEmbd, nPos, 1);
  }
  for (let layer = 0; layer < nLayer; layer++) {
    const normed = g.layerNorm(stream, layer, 'ln1', 'rms');
    const product = g.mulMat(g.layerNeed(layer, 'attn_qkv.weight'), normed);
    const { q, k, v } = groupedHeads(g, g.addBias(product, g.layer(layer, 'attn_qkv.bias')), headSize);
    const seesAll = windowPattern === 0 || (layer + 1) % windowPattern === 0;
    const heads = { q: ggml.rope(q, positions), k: ggml.rope(k, positions), v, mask: seesAll ? null : window };
    const residual = ggml.add(g.layerAttention(layer, heads), stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'rms'), layer, ffn));
  }
  let cur = ggml.reshape(g.namedNorm(stream, 'v.post_ln', 'rms'), nEmbd * 4, nPos / 4, 1);
  cur = g.ffn(cur, { up: 'mm.0', down: 'mm.2' }, 'gelu');
  if (windowPattern === 0) return cur;
  cur = ggml.getRows(ggml.reshape(cur, projectionDim, nPos / 4), g.positions(nPos / 4));
  return ggml.reshape(cur, projectionDim, nPos / 4, 1);
}

/** What each patch may look at, for all windows together. */
function windowMask(g: ClipGraph): Tensor {
  const mask = ggml.newInput(F32, g.patches, g.patches);
  return g.flashAttn ? ggml.cast(mask, F16) : mask;
}

/** Of `hparams.windowModes`. */
const SEES_ALL = -1;
const BY_COLUMNS = 1;

/**
 * `clip_graph_mimovl` (`tools/mtmd/models/mimovl.cpp`, llama.cpp v0.5.0): bands along rows or along columns with sinks, between
 * layers that see everything.
 */
export function mimovl(g: ClipGraph): Tensor {
  const { nEmbd, nHead, nHeadKv, nLayer, nMerge, windowModes, ffn } = g.hparams;
  const nPos = g.patches;
  const unit = nMerge * nMerge;
  const units = nPos / unit;
  const headSize = Math.floor(g.layerNeed(0, 'attn_qkv.weight').ne[1] / (nHead + 2 * nHeadKv));
  let stream = inBlocks(g, ggml.permute(temporalInput(g), 1, 2, 0, 3));
  const byRow = g.positions(nPos * M_ROPE_SECTIONS);
  const byColumn = g.positions(nPos * M_ROPE_SECTIONS);
  const order = ggml.newInput(F32, units);
  const toColumns = ggml.cast(order, I32);
  const toRows = ggml.argsort(order);
  const window = windowMask(g);
  const reordered = (cur: Tensor, indices: Tensor): Tensor =>
    ggml.reshape(ggml.getRows(ggml.reshape(cur, nEmbd * unit, units), indices), nEmbd, nPos, 1);

  let wasByColumns = false;
  for (let layer = 0; layer < nLayer; layer++) {
    const mode = windowModes[layer] ?? SEES_ALL;
    const isByColumns = mode === BY_COLUMNS;
    if (isByColumns !== wasByColumns) stream = reordered(stream, isByColumns ? toColumns : toRows);
    wasByColumns = isByColumns;
    const normed = g.layerNorm(stream, layer, 'ln1', 'rms');
    const product = g.mulMat(g.layerNeed(layer, 'attn_qkv.weight'), normed);
    const { q, k, v } = groupedHeads(g, ggml.add(product, g.layerNeed(layer, 'attn_qkv.bias')), headSize);
    const positions = isByColumns ? byColumn : byRow;
    const attended = g.layerAttention(layer, {
      q: ggml.rope(q, positions),
      k: ggml.rope(k, positions),
      v,
      mask: mode === SEES_ALL ? null : window,
      sinks: mode === SEES_ALL ? null : g.layerNeed(layer, 'attn_sinks'),
    });
    const residual = ggml.add(attended, stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'rms'), layer, ffn));
  }
  if (wasByColumns) stream = reordered(stream, toRows);
  const merged = ggml.reshape(g.namedNorm(stream, 'v.post_ln', 'layer'), nEmbd * unit, units, 1);
  const hidden = ggml.unary(g.mulMat(g.need('mm.0.weight'), merged), 'gelu');
  return g.mulMat(g.need('mm.2.weight'), hidden);
}
