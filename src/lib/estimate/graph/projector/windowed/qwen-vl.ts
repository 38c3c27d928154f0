import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { fusedHeads } from '../vit/vit.js';

/** `build_inp_with_temporal_merge` for still images: two frames, the same image in both. */
export function temporalInput(g: ClipGraph): Tensor {
  const raw = g.rawInput();
  const first = g.patchConv(g.need('v.patch_embd.weight'), raw);
  return ggml.add(first, g.patchConv(g.need('v.patch_embd.weight.1'), raw));
}

/** Squares of neighbouring patches after one another. */
export function inBlocks(g: ClipGraph, cur: Tensor, side = 2): Tensor {
  const { nEmbd } = g.hparams;
  const [x, y] = [g.patchesX, g.patchesY];
  cur = ggml.reshape(ggml.contTo(cur, nEmbd * side, x / side, y, 1), nEmbd * side, x / side, side, y / side);
  return ggml.contTo(ggml.permute(cur, 0, 2, 1, 3), nEmbd, x * y, 1);
}

/** Positions in four sections, height and width twice. */
export const M_ROPE_SECTIONS = 4;

/** `clip_graph_qwen2vl` (`tools/mtmd/models/qwen2vl.cpp`, llama.cpp v0.5.0): Qwen2-VL, and Qwen2.5-VL with its windows. */
export function qwen2vl(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, headSize, nHead, windowPattern, ffn, projectionDim } = g.hparams;
  const norm = g.type === 'qwen2.5vl_merger' ? 'rms' : 'layer';
  const nPos = g.patches;
  let stream = inBlocks(g, ggml.permute(temporalInput(g), 1, 2, 0, 3));
  const positions = g.positions(nPos * M_ROPE_SECTIONS);
  const preNorm = g.own('pre_ln.weight');
  if (preNorm) stream = g.norm(stream, preNorm, g.own('pre_ln.bias'), norm);

  let window: Tensor | null = null;
  if (windowPattern > 0) {
    const order = g.positions(nPos / 4);
    window = ggml.newInput(F32, nPos, nPos);
    if (g.flashAttn) window = ggml.cast(window, F16);
    stream = ggml.getRows(ggml.reshape(stream, nEmbd * 4, nPos / 4), order);
    stream = ggml.reshape(stream, nEmbd, nPos, 1);
  }

  for (let layer = 0; layer < nLayer; layer++) {
    const cur = g.layerNorm(stream, layer, 'ln1', norm);
    const projected = (name: string): Tensor =>
      ggml.add(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layerNeed(layer, `${name}.bias`));
    const [q, k, v] = [projected('attn_q'), projected('attn_k'), projected('attn_v')].map((head) =>
      ggml.reshape(head, headSize, nHead, nPos),
    ) as [Tensor, Tensor, Tensor];
    const seesAll = windowPattern === 0 || (layer + 1) % windowPattern === 0;
    const attended = g.layerAttention(layer, {
      q: ggml.rope(q, positions),
      k: ggml.rope(k, positions),
      v,
      mask: seesAll ? null : window,
    });
    const residual = ggml.add(attended, stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', norm), layer, ffn));
  }

  let cur = ggml.reshape(withPostNorm(g, stream, norm), nEmbd * 4, nPos / 4, 1);
  cur = g.ffn(cur, { up: 'mm.0', down: 'mm.2' }, 'gelu');
  if (windowPattern === 0) return cur;
  const order = g.positions(nPos / 4);
  cur = ggml.getRows(ggml.reshape(cur, projectionDim, nPos / 4), order);
  return ggml.reshape(cur, projectionDim, nPos / 4, 1);
}

function withPostNorm(g: ClipGraph, cur: Tensor, norm: 'rms' | 'layer'): Tensor {
  const weight = g.own('post_ln.weight');
  return weight ? g.norm(cur, weight, g.own('post_ln.bias'), norm) : cur;
}

/** `clip_graph_qwen3vl` (`tools/mtmd/models/qwen3vl.cpp`, llama.cpp v0.5.0): Qwen3-VL, Qwen3.5 and 3.6. */
export function qwen3vl(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, nMerge, ffn } = g.hparams;
  const nPos = g.patches;
  let stream = inBlocks(g, ggml.permute(temporalInput(g), 1, 2, 0, 3));
  stream = ggml.add(stream, g.need('v.patch_embd.bias'));
  stream = ggml.add(stream, inBlocks(g, g.resizedPositions()));
  const positions = g.positions(nPos * M_ROPE_SECTIONS);
  const preNorm = g.own('pre_ln.weight');
  if (preNorm) stream = g.norm(stream, preNorm, g.own('pre_ln.bias'), 'layer');

  const merged = nMerge > 0 ? nMerge * nMerge : 4;
  let features: Tensor | null = null;
  for (let layer = 0; layer < nLayer; layer++) {
    const { q, k, v } = fusedHeads(g, g.layerNorm(stream, layer, 'ln1', 'layer'), layer, nPos, 1);
    const attended = g.layerAttention(layer, { q: ggml.rope(q, positions), k: ggml.rope(k, positions), v });
    const residual = ggml.add(attended, stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'layer'), layer, ffn));
    if (!g.weight(`v.deepstack.${layer}.fc1.weight`)) continue;
    const name = (part: string): string => `v.deepstack.${layer}.${part}`;
    let feature = ggml.reshape(stream, nEmbd * merged, nPos / merged, 1);
    feature = g.namedNorm(feature, name('norm'), 'layer');
    feature = g.ffn(feature, { up: name('fc1'), down: name('fc2') }, 'gelu');
    features = features ? ggml.concat(features, feature, 0) : feature;
  }

  let cur = ggml.reshape(withPostNorm(g, stream, 'layer'), nEmbd * 4, nPos / 4, 1);
  cur = g.ffn(cur, { up: 'mm.0', down: 'mm.2' }, 'gelu');
  return features ? ggml.concat(cur, features, 0) : cur;
}
