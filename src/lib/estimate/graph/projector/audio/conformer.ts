import { conv2d, conv2dDepthwiseDirect, conv2dDirect, roll } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { ssmConv } from '../../../ggml/ops/recurrent-ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

const HALVES = { stride: 2, padding: 1 };
const POINT = { stride: 1, padding: 0 };
/** Of what tells relative positions. */
const POSITION_WIDTH = 512;
/** Before and after each frame, in the convolution of LFM2's conformer. */
const LFM2_PADDING = 4;

/** `clip_graph_conformer` (`tools/mtmd/models/conformer.cpp`, llama.cpp v0.5.0): LFM2 Audio. */
export function conformer(g: ClipGraph): Tensor {
  const { nLayer } = g.hparams;
  const half = (frames: number): number => Math.floor((frames + 1) / 2);
  const distances = half(half(half(g.size.width))) * 2 - 1;
  const positions = g.expand(ggml.newInput(F32, POSITION_WIDTH, distances));
  let cur = subsampled(g, { pointwise: conv2dDirect, isInplace: true });
  for (let layer = 0; layer < nLayer; layer++) {
    let residual = halfStep(g, cur, layer, '');
    residual = ggml.add(residual, relativeAttention(g, residual, layer, positions));
    residual = convolution(g, residual, layer);
    cur = g.layerNorm(halfStep(g, residual, layer, '_1'), layer, 'ln2', 'layer');
  }
  cur = g.norm(cur, g.need('mm.a.mlp.0.weight'), g.need('mm.a.mlp.0.bias'), 'layer');
  return g.ffn(cur, { up: 'mm.a.mlp.1', down: 'mm.a.mlp.3' }, 'gelu_erf');
}

interface Subsampling {
  readonly pointwise: typeof conv2d;
  readonly isInplace: boolean;
}

/** Frames eight to one, each with all its frequencies in a row. */
export function subsampled(g: ClipGraph, { pointwise, isInplace }: Subsampling): Tensor {
  const relu = (cur: Tensor): Tensor => (isInplace ? ggml.unaryInplace(cur, 'relu') : ggml.unary(cur, 'relu'));
  const kernel = (number: number): Tensor => g.need(`a.conv1d.${number}.weight`);
  const biased = (cur: Tensor, number: number): Tensor => ggml.add(cur, g.need(`a.conv1d.${number}.bias`));
  let cur = ggml.cont(ggml.transpose(g.rawInput(1)));
  cur = relu(biased(conv2d(kernel(0), cur, HALVES), 0));
  for (const [depthwise, point] of [
    [2, 3],
    [5, 6],
  ] as const) {
    cur = biased(conv2dDepthwiseDirect(kernel(depthwise), cur, HALVES), depthwise);
    cur = relu(biased(pointwise(kernel(point), cur, POINT), point));
  }
  cur = ggml.cont(ggml.permute(cur, 0, 2, 1, 3));
  cur = ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2]);
  return ggml.add(g.mulMat(g.need('a.pre_encode.out.weight'), cur), g.need('a.pre_encode.out.bias'));
}

/** Half of a feed-forward network on top. */
export function halfStep(g: ClipGraph, residual: Tensor, layer: number, suffix: '' | '_1'): Tensor {
  const name = (part: string): string => `a.blk.${layer}.ffn_${part}${suffix}`;
  const normed = g.namedNorm(residual, name('norm'), 'layer');
  return ggml.add(residual, ggml.scale(g.ffn(normed, { up: name('up'), down: name('down') }, 'silu')));
}

function relativeAttention(g: ClipGraph, residual: Tensor, layer: number, positions: Tensor): Tensor {
  const { headSize, nHead } = g.hparams;
  const cur = g.layerNorm(residual, layer, 'ln1', 'layer');
  const projected = (name: string): Tensor => {
    const product = ggml.add(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layerNeed(layer, `${name}.bias`));
    return ggml.reshape(product, headSize, nHead, product.ne[1]);
  };
  const q = projected('attn_q');
  const [byContent, byPosition] = ['pos_bias_u', 'pos_bias_v'].map((name) =>
    ggml.permute(ggml.add(q, g.layerNeed(layer, name)), 0, 2, 1, 3),
  ) as [Tensor, Tensor];
  const k = ggml.cont(ggml.permute(projected('attn_k'), 0, 2, 1, 3));
  const v = ggml.cont(ggml.permute(projected('attn_v'), 1, 2, 0, 3));

  const content = ggml.cont(ggml.permute(ggml.mulMat(byContent, k), 1, 0, 2, 3));
  let p = g.mulMat(g.layerNeed(layer, 'linear_pos.weight'), positions);
  p = ggml.permute(ggml.reshape(p, headSize, nHead, p.ne[1]), 0, 2, 1, 3);
  let position = ggml.cont(ggml.permute(ggml.mulMat(byPosition, p), 1, 0, 2, 3));
  const [distances, length, heads] = position.ne;
  position = roll(ggml.padTo(position, [distances + 1, length, heads, 1]));
  position = ggml.reshape(position, length, distances + 1, heads);
  position = ggml.view3d(position, [length, distances, heads], position.nb[1], position.nb[2], position.nb[0] * length);
  position = ggml.contTo(position, distances, length, heads);
  position = ggml.view3d(position, [content.ne[0], length, heads], position.nb[1], position.nb[2], 0);

  const weights = ggml.softMax(ggml.scale(ggml.add(content, position)));
  let out = ggml.permute(ggml.mulMat(weights, v), 2, 0, 1, 3);
  out = ggml.contTo(out, out.ne[0] * out.ne[1], out.ne[2]);
  return ggml.add(g.mulMat(g.layerNeed(layer, 'attn_out.weight'), out), g.layerNeed(layer, 'attn_out.bias'));
}

function convolution(g: ClipGraph, residual: Tensor, layer: number): Tensor {
  const cur = g.layerNorm(residual, layer, 'norm_conv', 'layer');
  const first = ggml.add(g.mulMat(g.layerNeed(layer, 'conv_pw1.weight'), cur), g.layerNeed(layer, 'conv_pw1.bias'));
  let out = convolvedInTime(g, ggml.cont(ggml.transpose(gatedHalf(first))), layer, LFM2_PADDING);
  out = ggml.add(out, g.layerNeed(layer, 'conv_dw.bias'));
  out = ggml.add(ggml.mul(out, g.layerNeed(layer, 'conv_norm.weight')), g.layerNeed(layer, 'conv_norm.bias'));
  out = g.mulMat(g.layerNeed(layer, 'conv_pw2.weight'), ggml.unary(out, 'silu'));
  return ggml.add(residual, ggml.add(out, g.layerNeed(layer, 'conv_pw2.bias')));
}

/** The first half of each row, weighted by the second. */
export function gatedHalf(cur: Tensor): Tensor {
  const half = cur.ne[0] / 2;
  const gate = ggml.unary(ggml.view2d(cur, half, cur.ne[1], cur.nb[1], half * cur.nb[0]), 'sigmoid');
  return ggml.mul(ggml.view2d(cur, half, cur.ne[1], cur.nb[1], 0), gate);
}

/** Each channel by itself, with so many frames of nothing before and after: [channels, frames]. */
export function convolvedInTime(g: ClipGraph, cur: Tensor, layer: number, padding: number): Tensor {
  const [frames, channels] = cur.ne;
  cur = roll(ggml.padTo(cur, [frames + padding, channels, 1, 1]));
  cur = ggml.padTo(cur, [frames + 2 * padding, channels, 1, 1]);
  return ssmConv(cur, g.layerNeed(layer, 'conv_dw.weight'));
}
