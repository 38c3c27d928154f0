import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** `clip_graph_minicpmv4_6` (`tools/mtmd/models/minicpmv.cpp`, llama.cpp v0.5.0): patches merged in the middle, and at the end. */
export function minicpmv46(g: ClipGraph): Tensor {
  const { nMerge, nLayer, insertLayer } = g.hparams;
  const nPos = g.patches;
  const [halfX, halfY] = [Math.floor(g.patchesX / 2), Math.floor(g.patchesY / 2)];
  const halved = halfX * halfY;
  const mergesTwice = nMerge !== 2;
  const learned = ggml.getRows(g.need('v.position_embd.weight'), g.positions(nPos));
  let stream = ggml.add(g.patchInput(), learned);
  if (g.own('pre_ln.weight')) stream = g.namedNorm(stream, 'v.pre_ln', 'layer');

  if (mergesTwice) {
    stream = layers(g, stream, 0, insertLayer + 1, nPos);
    stream = merged(g, windowAttention(g, stream), halved);
    stream = layers(g, stream, insertLayer + 1, nLayer, halved);
  } else {
    stream = layers(g, stream, 0, nLayer, nPos);
  }
  if (g.own('post_ln.weight')) stream = g.namedNorm(stream, 'v.post_ln', 'layer');

  const tokens = mergesTwice ? Math.floor(halfX / 2) * Math.floor(halfY / 2) : halved;
  const normed = g.namedNorm(joined(quarters(g, stream, tokens)), 'mm.input_norm', 'layer');
  return g.ffn(normed, { up: 'mm.up', down: 'mm.down' }, 'gelu_erf');
}

function layers(g: ClipGraph, stream: Tensor, from: number, to: number, nPos: number): Tensor {
  const scaled = (cur: Tensor, weight: Tensor | null): Tensor => (weight ? ggml.mul(cur, weight) : cur);
  for (let layer = from; layer < to; layer++) {
    const cur = g.layerNorm(stream, layer, 'ln1', 'layer');
    const heads = headsOf(g, cur, `v.blk.${layer}.attn`, nPos);
    const attended = scaled(g.layerAttention(layer, heads), g.layer(layer, 'ls1.weight'));
    const residual = ggml.add(attended, stream);
    const fed = g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'layer'), layer, g.hparams.ffn);
    stream = ggml.add(residual, scaled(fed, g.layer(layer, 'ls2.weight')));
  }
  return stream;
}

function headsOf(g: ClipGraph, cur: Tensor, prefix: string, nPos: number): { q: Tensor; k: Tensor; v: Tensor } {
  const { headSize, nHead } = g.hparams;
  const [q, k, v] = ['q', 'k', 'v']
    .map((name) => `${prefix}_${name}`)
    .map((name) => g.addBias(g.mulMat(g.need(`${name}.weight`), cur), g.weight(`${name}.bias`)))
    .map((head) => ggml.reshape(head, headSize, nHead, nPos)) as [Tensor, Tensor, Tensor];
  return { q, k, v };
}

/** Each square of four patches by itself. */
function windowAttention(g: ClipGraph, stream: Tensor): Tensor {
  const nPos = g.patches;
  const order = g.positions(nPos);
  const back = g.positions(nPos);
  const window = ggml.newInput(F32, nPos, nPos);
  const mask = g.flashAttn ? ggml.cast(window, F16) : window;
  const cur = ggml.getRows(g.namedNorm(stream, 'v.vit_merger.ln1', 'layer'), order);
  const heads = headsOf(g, cur, 'v.vit_merger.attn', nPos);
  const output = g.need('v.vit_merger.attn_out.weight');
  const attended = g.attention(output, g.weight('v.vit_merger.attn_out.bias'), { ...heads, mask });
  return ggml.add(ggml.getRows(attended, back), stream);
}

/** Four patches become one: what the network makes of them, on top of their mean. */
function merged(g: ClipGraph, stream: Tensor, tokens: number): Tensor {
  const parts = quarters(g, stream, tokens);
  const [first, ...rest] = parts;
  const mean = ggml.scale(rest.reduce((sum, part) => ggml.add(sum, part), first as Tensor));
  const normed = g.namedNorm(joined(parts), 'v.vit_merger.ds_ln', 'layer');
  const fed = g.ffn(normed, { up: 'v.vit_merger.ds_ffn_up', down: 'v.vit_merger.ds_ffn_down' }, 'gelu');
  return ggml.add(fed, mean);
}

function quarters(g: ClipGraph, cur: Tensor, tokens: number): readonly Tensor[] {
  return Array.from({ length: 4 }, () => ggml.getRows(cur, g.positions(tokens)));
}

function joined(parts: readonly Tensor[]): Tensor {
  return parts.reduce((all, part) => ggml.concat(all, part, 0));
}
