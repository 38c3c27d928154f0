import { conv2dDepthwise, pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** Patches along each side of the only image size there is. */
const SIDE = 24;

/** MobileVLM's projector: the part of `clip_graph_llava` for `ldp` (`tools/mtmd/models/llava.cpp`, llama.cpp v0.5.0). */
export function ldp(g: ClipGraph, embeddings: Tensor): Tensor {
  const columns = linear(g, 'mm.model.mlp.3', ggml.unary(linear(g, 'mm.model.mlp.1', embeddings), 'gelu'));
  const grid = inGrid(columns);
  const normed = channelNorm(g, squeezed(g, depthwise(g, grid, 1, 1), 1), 'mm.model.mb_block.1.block.2.1');
  const residual = ggml.add(grid, ggml.cont(ggml.permute(normed, 2, 0, 1, 3)));
  const cur = channelNorm(g, squeezed(g, depthwise(g, residual, 2, 2), 2), 'mm.model.mb_block.2.block.2.1');
  return ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2], cur.ne[3]);
}

/** The same for `ldpv2`. */
export function ldpv2(g: ClipGraph, embeddings: Tensor): Tensor {
  const columns = linear(g, 'mm.model.mlp.2', ggml.unary(linear(g, 'mm.model.mlp.0', embeddings), 'gelu'));
  const pooled = pool2d(inGrid(columns), 2);
  let cur = conv2dDepthwise(g.need('mm.model.peg.0.weight'), pooled, { stride: 1, padding: 1 });
  cur = ggml.add(ggml.cont(ggml.permute(cur, 1, 2, 0, 3)), g.need('mm.model.peg.0.bias'));
  cur = ggml.add(cur, ggml.cont(ggml.permute(pooled, 1, 2, 0, 3)));
  return ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2], cur.ne[3]);
}

function linear(g: ClipGraph, name: string, cur: Tensor): Tensor {
  return ggml.add(g.mulMat(g.need(`${name}.weight`), cur), g.need(`${name}.bias`));
}

function inGrid(columns: Tensor): Tensor {
  const channelsLast = ggml.permute(columns, 1, 0, 2, 3);
  return ggml.contTo(channelsLast, SIDE, SIDE, channelsLast.ne[1], channelsLast.ne[2]);
}

function channelNorm(g: ClipGraph, cur: Tensor, name: string): Tensor {
  return ggml.add(ggml.mul(ggml.norm(cur), g.need(`${name}.weight`)), g.need(`${name}.bias`));
}

/** A convolution of each channel by itself, normed and activated. */
function depthwise(g: ClipGraph, cur: Tensor, block: number, stride: number): Tensor {
  const name = `mm.model.mb_block.${block}.block.0`;
  const conv = conv2dDepthwise(g.need(`${name}.0.weight`), cur, { stride, padding: 1 });
  const normed = channelNorm(g, ggml.cont(ggml.permute(conv, 1, 2, 0, 3)), `${name}.1`);
  return ggml.unary(ggml.cont(ggml.permute(normed, 2, 0, 1, 3)), 'hardswish');
}

/** Channels weighted by what a small network makes of their means, then mixed: [channels, width, height]. */
function squeezed(g: ClipGraph, cur: Tensor, block: number): Tensor {
  const name = `mm.model.mb_block.${block}.block`;
  const [width, height, channels] = cur.ne;
  const means = pool2d(cur, width, height);
  let weights = linear(g, `${name}.1.fc1`, ggml.reshape(means, means.ne[0] * means.ne[1] * means.ne[2], means.ne[3]));
  weights = ggml.unary(linear(g, `${name}.1.fc2`, ggml.unary(weights, 'relu')), 'hardsigmoid');
  let weighted = ggml.mul(cur, ggml.reshape(weights, 1, 1, weights.ne[0], weights.ne[1]));
  weighted = ggml.reshape(weighted, width * height, channels, weighted.ne[3]);
  const mixed = g.mulMat(g.need(`${name}.2.0.weight`), ggml.cont(ggml.permute(weighted, 1, 0, 2, 3)));
  return ggml.reshape(mixed, mixed.ne[0], width, height, mixed.ne[3]);
}
