import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { M_ROPE_SECTIONS } from './qwen-vl.js';

/** Patches merged along each side, whatever the header says. */
const SIDE = 2;

/** `clip_graph_youtuvl` (`tools/mtmd/models/youtuvl.cpp`, llama.cpp v0.5.0). */
export function youtuvl(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, nHead, headSize, globalLayers, ffn } = g.hparams;
  const nPos = g.patches;
  const hasWindows = globalLayers.length > 0;
  let stream = ggml.reshape(
    g.addBias(g.mulMat(g.need('v.patch_embd.weight'), patchRows(g)), g.weight('v.patch_embd.bias')),
    nEmbd,
    nPos,
  );
  const positions = g.positions(nPos * M_ROPE_SECTIONS);
  if (g.own('pre_ln.weight')) stream = g.namedNorm(stream, 'v.pre_ln', 'layer');
  let window: Tensor | null = null;
  if (hasWindows) {
    window = ggml.newInput(F32, nPos, nPos);
    if (g.flashAttn) window = ggml.cast(window, F16);
    stream = inOrder(g, stream);
  }
  for (let layer = 0; layer < nLayer; layer++) {
    const cur = g.layerNorm(stream, layer, 'ln1', 'layer');
    const [q, k, v] = ['attn_q', 'attn_k', 'attn_v']
      .map((name) => ggml.add(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layerNeed(layer, `${name}.bias`)))
      .map((head) => ggml.reshape(head, headSize, nHead, nPos)) as [Tensor, Tensor, Tensor];
    const mask = hasWindows && !globalLayers.includes(layer) ? window : null;
    const heads = { q: ggml.rope(q, positions), k: ggml.rope(k, positions), v, mask };
    const residual = ggml.add(g.layerAttention(layer, heads), stream);
    const name = (part: string): string => `v.blk.${layer}.ffn_${part}`;
    const normed = g.layerNorm(residual, layer, 'ln2', 'layer');
    stream = ggml.add(residual, g.ffn(normed, { up: name('up'), down: name('down') }, ffn));
  }
  if (hasWindows) stream = inOrder(g, stream);
  if (g.own('post_ln.weight')) stream = g.namedNorm(stream, 'v.post_ln', 'layer');
  const normed = g.norm(stream, g.need('mm.input_norm.weight'), null, 'rms');
  return g.ffn(ggml.reshape(normed, nEmbd * 4, nPos / 4, 1), { up: 'mm.0', down: 'mm.2' }, 'gelu');
}

/** Squares of patches in another order. */
function inOrder(g: ClipGraph, cur: Tensor): Tensor {
  const { nEmbd } = g.hparams;
  const order = g.positions(g.patches / 4);
  return ggml.reshape(ggml.getRows(ggml.reshape(cur, nEmbd * 4, g.patches / 4), order), nEmbd, g.patches, 1);
}

/** The pixels of each patch in a row: a convolution by hand. */
function patchRows(g: ClipGraph): Tensor {
  const { patchSize } = g.hparams;
  const [across, down] = [g.patchesX / SIDE, g.patchesY / SIDE];
  let cur = ggml.reshape(g.rawInput(), across * SIDE * patchSize, SIDE * patchSize, down, 3);
  cur = ggml.contTo(ggml.permute(cur, 1, 2, 3, 0), SIDE * patchSize * 3, across, SIDE * patchSize, down);
  cur = ggml.contTo(ggml.permute(cur, 0, 2, 1, 3), SIDE * patchSize * 3, patchSize, SIDE, down * across);
  cur = ggml.contTo(ggml.permute(cur, 1, 0, 2, 3), patchSize, 3, patchSize, down * across * SIDE * SIDE);
  return ggml.contTo(ggml.permute(cur, 2, 0, 1, 3), 3 * patchSize * patchSize, down * across * SIDE * SIDE, 1);
}
