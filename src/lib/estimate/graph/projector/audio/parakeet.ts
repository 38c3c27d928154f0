import { conv2d, cos, padAround, roll, sin } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { convolvedInTime, gatedHalf, subsampled } from './conformer.js';

/** Above so many positions each sees a window only. */
const LOCAL_FROM = 8192;
const LOCAL_WINDOW = 128;

interface Positions {
  readonly time: number;
  readonly isLocal: boolean;
  /** Distances that two positions can have. */
  readonly window: number;
  readonly mask: Tensor;
  readonly localMask: Tensor | null;
  readonly embedding: Tensor;
}

/** `clip_graph_parakeet` (`tools/mtmd/models/parakeet.cpp`, llama.cpp v0.5.0): a conformer with attention by distance. */
export function parakeet(g: ClipGraph): Tensor {
  let cur = subsampled(g, { pointwise: conv2d, isInplace: false });
  const positions = positionsOf(g, cur.ne[1]);
  for (let layer = 0; layer < g.hparams.nLayer; layer++) {
    cur = ggml.add(cur, ggml.scale(feedForward(g, cur, layer, '')));
    cur = ggml.add(cur, attention(g, affineNorm(g, cur, layer, 'ln1'), layer, positions));
    cur = ggml.add(cur, convolution(g, affineNorm(g, cur, layer, 'norm_conv'), layer));
    cur = ggml.add(cur, ggml.scale(feedForward(g, cur, layer, '_1')));
    cur = affineNorm(g, cur, layer, 'ln2');
  }
  return projected(g, cur);
}

function affineNorm(g: ClipGraph, cur: Tensor, layer: number, name: string): Tensor {
  const weight = g.layerNeed(layer, `${name}.weight`);
  return ggml.add(ggml.mul(ggml.norm(cur), weight), g.layerNeed(layer, `${name}.bias`));
}

function feedForward(g: ClipGraph, cur: Tensor, layer: number, suffix: '' | '_1'): Tensor {
  const normed = affineNorm(g, cur, layer, `ffn_norm${suffix}`);
  const up = ggml.unary(g.mulMat(g.layerNeed(layer, `ffn_up${suffix}.weight`), normed), 'silu');
  return g.mulMat(g.layerNeed(layer, `ffn_down${suffix}.weight`), up);
}

function positionsOf(g: ClipGraph, time: number): Positions {
  const { nEmbd } = g.hparams;
  const isLocal = time > LOCAL_FROM;
  const window = isLocal ? 2 * LOCAL_WINDOW + 1 : 2 * time - 1;
  const chunk = 2 * LOCAL_WINDOW;
  const mask = ggml.newInput(F32, isLocal ? window : time, time);
  const localMask = isLocal ? ggml.newInput(F32, chunk + window - 1, chunk) : null;
  const half = nEmbd / 2;
  const frequencies = ggml.newInput(F32, half);
  const distances = ggml.newInput(F32, 1, window);
  const angles = ggml.mul(ggml.repeat(frequencies, [half, window, 1, 1]), distances);
  const pairs = ggml.concat(ggml.reshape(sin(angles), 1, half, window), ggml.reshape(cos(angles), 1, half, window), 0);
  return { time, isLocal, window, mask, localMask, embedding: ggml.reshape(ggml.cont(pairs), nEmbd, window) };
}

function attention(g: ClipGraph, cur: Tensor, layer: number, positions: Positions): Tensor {
  const { nEmbd, nHead } = g.hparams;
  const headSize = Math.floor(nEmbd / nHead);
  const [q, k, v] = ['attn_q', 'attn_k', 'attn_v']
    .map((name) => g.mulMat(g.layerNeed(layer, `${name}.weight`), cur))
    .map((tensor) => ggml.reshape(tensor, headSize, nHead, positions.time)) as [Tensor, Tensor, Tensor];
  let relative = g.mulMat(g.layerNeed(layer, 'linear_pos.weight'), positions.embedding);
  relative = ggml.reshape(relative, headSize, nHead, positions.window);
  relative = ggml.cont(ggml.permute(relative, 0, 2, 1, 3));
  const heads = {
    q,
    k,
    v,
    relative,
    byContent: g.layerNeed(layer, 'pos_bias_u'),
    byPosition: g.layerNeed(layer, 'pos_bias_v'),
  };
  const out = positions.isLocal ? localAttention(g, heads, positions) : fullAttention(g, heads, positions);
  return g.mulMat(g.layerNeed(layer, 'attn_out.weight'), out);
}

interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly relative: Tensor;
  readonly byContent: Tensor;
  readonly byPosition: Tensor;
}

function fullAttention(g: ClipGraph, { q, k, v, relative, byContent, byPosition }: Heads, at: Positions): Tensor {
  const queries = ggml.permute(ggml.add(q, byContent), 0, 2, 1, 3);
  const content = ggml.mulMat(ggml.permute(k, 0, 2, 1, 3), queries);
  const shifted = ggml.cont(ggml.permute(ggml.add(q, byPosition), 0, 2, 1, 3));
  let position = ggml.mulMat(relative, shifted);
  const [window, frames, heads] = position.ne;
  position = roll(ggml.padTo(position, [window + 1, frames, heads, 1]));
  position = ggml.cont(ggml.reshape(position, frames, window + 1, heads));
  const offset = position.nb[0] * (Math.floor(window / 2) + 1);
  position = ggml.cont(
    ggml.view3d(position, [frames, window, heads], window * F32.bytesPerBlock, position.nb[2], offset),
  );
  position = ggml.cont(ggml.view3d(position, [content.ne[0], content.ne[1], heads], position.nb[1], position.nb[2], 0));
  const scores = ggml.add(ggml.scale(ggml.add(content, position)), at.mask);
  const values = ggml.cont(ggml.permute(v, 1, 2, 0, 3));
  const out = ggml.permute(ggml.mulMat(ggml.softMax(scores), values), 2, 0, 1, 3);
  return ggml.contTo(out, g.hparams.nEmbd, at.time);
}

/** Groups of queries against the keys that any of them may see. */
function localAttention(g: ClipGraph, heads: Heads, { time, window, mask, localMask }: Positions): Tensor {
  const chunk = 2 * LOCAL_WINDOW;
  const groups = Math.ceil(time / chunk);
  const padded = groups * chunk;
  const seen = chunk + window - 1;
  const [q, k, v] = [heads.q, heads.k, heads.v].map((head) => ggml.cont(ggml.permute(head, 0, 2, 1, 3))) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const [headSize, , nHead] = q.ne;
  const biased = (bias: Tensor): Tensor => ggml.add(q, ggml.reshape(bias, headSize, 1, nHead));
  const rowsTo = (cur: Tensor, rows: number): Tensor =>
    rows > cur.ne[1] ? ggml.padTo(cur, [cur.ne[0], rows, cur.ne[2], 1]) : cur;
  const around = (cur: Tensor): Tensor =>
    rowsTo(padAround(cur, [headSize, time + 2 * LOCAL_WINDOW, nHead, 1]), seen * groups);

  const queries = ggml.reshape(rowsTo(biased(heads.byContent), padded), headSize, chunk, groups, nHead);
  const keys = around(k);
  const keyGroups = ggml.cont(
    ggml.view4d(keys, [headSize, seen, groups, nHead], keys.nb[1], chunk * keys.nb[1], keys.nb[2], 0),
  );
  let content = ggml.mulMat(keyGroups, queries);
  content = ggml.cont(
    ggml.view4d(
      content,
      [window, chunk, groups, nHead],
      (chunk + window) * content.nb[0],
      content.nb[2],
      content.nb[3],
      0,
    ),
  );
  content = ggml.reshape(content, window, padded, nHead);
  if (padded > time) content = ggml.view3d(content, [window, time, nHead], content.nb[1], content.nb[2], 0);
  const shifted = ggml.cont(ggml.permute(biased(heads.byPosition), 0, 2, 1, 3));
  const scores = ggml.softMax(ggml.add(content, ggml.mulMat(heads.relative, shifted)), mask, null, false);

  let weights = ggml.reshape(rowsTo(scores, padded), window, chunk, groups, nHead);
  weights = ggml.padTo(weights, [window + chunk, chunk, groups, nHead]);
  weights = ggml.cont(
    ggml.view4d(weights, [seen, chunk, groups, nHead], seen * weights.nb[0], weights.nb[2], weights.nb[3], 0),
  );
  weights = ggml.mul(weights, localMask as Tensor);
  const values = ggml.cont(ggml.transpose(around(v)));
  const valueGroups = ggml.cont(
    ggml.view4d(values, [seen, headSize, groups, nHead], values.nb[1], chunk * values.nb[0], values.nb[2], 0),
  );
  let out = ggml.reshape(ggml.mulMat(valueGroups, weights), headSize, padded, nHead);
  if (padded > time) out = ggml.view3d(out, [headSize, time, nHead], out.nb[1], out.nb[2], 0);
  return ggml.reshape(ggml.cont(ggml.permute(out, 0, 2, 1, 3)), g.hparams.nEmbd, time);
}

function convolution(g: ClipGraph, cur: Tensor, layer: number): Tensor {
  const first = g.mulMat(g.layerNeed(layer, 'conv_pw1.weight'), cur);
  const padding = Math.floor((g.hparams.convKernel - 1) / 2);
  let out = convolvedInTime(g, ggml.cont(ggml.transpose(gatedHalf(first))), layer, padding);
  out = ggml.sub(out, g.layerNeed(layer, 'conv_norm_mean'));
  out = ggml.div(out, ggml.sqrt(g.layerNeed(layer, 'conv_norm_var')));
  out = ggml.add(ggml.mul(out, g.layerNeed(layer, 'conv_norm.weight')), g.layerNeed(layer, 'conv_norm.bias'));
  return g.mulMat(g.layerNeed(layer, 'conv_pw2.weight'), ggml.unary(out, 'silu'));
}

function projected(g: ClipGraph, cur: Tensor): Tensor {
  const normed = ggml.mul(ggml.rmsNorm(cur), g.need('mm.a.norm_pre.weight'));
  const up = ggml.sqr(ggml.unary(g.mulMat(g.need('mm.a.mlp.1.weight'), normed), 'relu'));
  return g.mulMat(g.need('mm.a.mlp.2.weight'), up);
}
