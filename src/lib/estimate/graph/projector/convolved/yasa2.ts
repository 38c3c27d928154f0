import { conv2d, conv2dDepthwise, pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** Tokens along each side. */
const POOLED_SIDE = 8;

/** `clip_graph_yasa2` (`tools/mtmd/models/yasa2.cpp`, llama.cpp v0.5.0): ConvNeXt, [width, height, channels, images]. */
export function yasa2(g: ClipGraph): Tensor {
  const { patchSize } = g.hparams;
  const kernel = g.need('v.patch_embd.weight');
  let cur = withBias(conv2d(kernel, g.rawInput(), { stride: patchSize, padding: 0 }), g.weight('v.patch_embd.bias'));
  cur = channelNorm(g, cur, 'v.patch_ln');
  for (let stage = 0; hasStage(g, stage); stage++) cur = stageOf(g, cur, stage);

  const [width, height, channels, images] = cur.ne;
  let tokens = ggml.cont(ggml.permute(ggml.reshape(cur, width * height, channels, images), 1, 0, 2, 3));
  const positions = g.weight('v.vision_pos_embed');
  if (positions && tokens.ne[1] === positions.ne[1]) {
    tokens = ggml.add(tokens, ggml.reshape(positions, positions.ne[0], positions.ne[1], 1));
  }
  const columns = ggml.cont(ggml.permute(tokens, 1, 0, 2, 3));
  cur = ggml.reshape(columns, width, height, columns.ne[1], columns.ne[2]);
  const step = (length: number): number => Math.max(1, Math.floor(length / Math.min(POOLED_SIDE, length)));
  cur = pool2d(cur, step(width), step(height));
  const pooled = ggml.permute(ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2], cur.ne[3]), 1, 0, 2, 3);
  return g.ffn(ggml.cont(pooled), { up: 'mm.0', down: 'mm.2' }, 'gelu_erf');
}

function hasStage(g: ClipGraph, stage: number): boolean {
  return [`v.stage.${stage}.down.conv.weight`, `v.stage.${stage}.blk.0.dw.weight`].some(
    (name) => g.weight(name) !== null,
  );
}

function stageOf(g: ClipGraph, cur: Tensor, stage: number): Tensor {
  const kernel = g.weight(`v.stage.${stage}.down.conv.weight`);
  if (kernel) {
    cur = channelNorm(g, cur, `v.stage.${stage}.down.ln`);
    cur = withBias(conv2d(kernel, cur, { stride: 2, padding: 0 }), g.weight(`v.stage.${stage}.down.conv.bias`));
  }
  for (let block = 0; g.weight(`v.stage.${stage}.blk.${block}.dw.weight`); block++) {
    cur = blockOf(g, cur, `v.stage.${stage}.blk.${block}`);
  }
  return cur;
}

function blockOf(g: ClipGraph, input: Tensor, name: string): Tensor {
  let cur = conv2dDepthwise(g.need(`${name}.dw.weight`), input, { stride: 1, padding: 3 });
  cur = channelNorm(g, withBias(cur, g.weight(`${name}.dw.bias`)), `${name}.ln`);
  cur = ggml.unary(pointwise(g, cur, `${name}.pw1`), 'gelu_erf');
  cur = responseNorm(g, cur, `${name}.grn`);
  return ggml.add(input, pointwise(g, cur, `${name}.pw2`));
}

/** A product over the channels of each position. */
function pointwise(g: ClipGraph, cur: Tensor, name: string): Tensor {
  const [width, height, channels, images] = cur.ne;
  const rows = ggml.cont(ggml.permute(ggml.reshape(cur, width * height, channels, images), 1, 0, 2, 3));
  let product = ggml.mulMat(g.need(`${name}.weight`), rows);
  const bias = g.weight(`${name}.bias`);
  if (bias) product = ggml.add(product, ggml.reshape(bias, bias.ne[0], 1, 1));
  const columns = ggml.cont(ggml.permute(product, 1, 0, 2, 3));
  return ggml.reshape(columns, width, height, product.ne[0], images);
}

/** `layer_norm_channels`. */
function channelNorm(g: ClipGraph, cur: Tensor, name: string): Tensor {
  const rows = ggml.cont(ggml.permute(cur, 2, 1, 0, 3));
  const centred = ggml.sub(rows, ggml.mean(rows));
  const deviation = ggml.sqrt(ggml.clamp(ggml.mean(ggml.mul(centred, centred))));
  const normed = ggml.cont(ggml.permute(ggml.div(centred, deviation), 2, 1, 0, 3));
  return withBias(timesChannels(normed, g.weight(`${name}.weight`)), g.weight(`${name}.bias`));
}

/** `convnext_grn`: how strong each channel is over the image, against the others. */
function responseNorm(g: ClipGraph, cur: Tensor, name: string): Tensor {
  const [width, height, channels, images] = cur.ne;
  const squares = ggml.reshape(ggml.mul(cur, cur), width * height, channels, 1, images);
  const strength = ggml.sqrt(ggml.sumRows(squares));
  const mean = ggml.clamp(ggml.mean(ggml.cont(ggml.permute(strength, 1, 0, 2, 3))));
  const relative = ggml.cont(ggml.permute(ggml.div(strength, mean), 0, 2, 1, 3));
  const scaled = timesChannels(ggml.mul(cur, relative), g.weight(`${name}.weight`));
  return ggml.add(cur, withBias(scaled, g.weight(`${name}.bias`)));
}

function withBias(cur: Tensor, bias: Tensor | null): Tensor {
  return bias ? ggml.add(cur, ggml.reshape(bias, 1, 1, bias.ne[0], 1)) : cur;
}

function timesChannels(cur: Tensor, weight: Tensor | null): Tensor {
  return weight ? ggml.mul(cur, ggml.reshape(weight, 1, 1, weight.ne[0], 1)) : cur;
}
