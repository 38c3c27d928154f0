import { conv2d, roll } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { ssmConv } from '../../../ggml/ops/recurrent-ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** Positions that attend together, those before them that they see, and relative distances. */
const CHUNK = 12;
const PAST = 12;
const CONTEXT = CHUNK + PAST;
const DISTANCES = PAST + 1;
const DOWNSAMPLE = { stride: 2, padding: 1 };

interface Blocks {
  readonly positions: number;
  readonly count: number;
  readonly distances: Tensor;
  readonly mask: Tensor;
}

/** `clip_graph_gemma4a` (`tools/mtmd/models/gemma4a.cpp`, llama.cpp v0.5.0): a conformer with attention in chunks. */
export function gemma4a(g: ClipGraph): Tensor {
  const { nHead, headSize, nLayer } = g.hparams;
  let cur = subsampled(g);
  const count = Math.ceil(cur.ne[1] / CHUNK);
  const blocks: Blocks = {
    positions: cur.ne[1],
    count,
    distances: ggml.newInput(F32, nHead * headSize, DISTANCES),
    mask: ggml.newInput(F32, CONTEXT, CHUNK, count),
  };
  for (let layer = 0; layer < nLayer; layer++) cur = conformerLayer(g, cur, layer, blocks);

  const output = g.weight('a.pre_encode.out.weight');
  if (output) cur = g.addBias(g.mulMat(output, cur), g.weight('a.pre_encode.out.bias'));
  cur = ggml.rmsNorm(cur);
  const norm = g.weight('mm.a.soft_emb_norm.weight');
  if (norm) cur = ggml.mul(cur, norm);
  const projection = g.weight('mm.a.input_projection.weight');
  return projection ? g.mulMat(projection, cur) : cur;
}

function subsampled(g: ClipGraph): Tensor {
  let cur = ggml.cont(ggml.transpose(g.rawInput(1)));
  for (const i of [0, 1]) {
    cur = conv2d(g.need(`a.conv1d.${i}.weight`), cur, DOWNSAMPLE);
    cur = g.addBias(cur, g.weight(`a.conv1d.${i}.bias`));
    const norm = g.weight(`a.conv1d.${i}.norm.weight`);
    if (norm) {
      cur = ggml.mul(ggml.norm(ggml.cont(ggml.permute(cur, 1, 2, 0, 3))), norm);
      cur = ggml.cont(ggml.permute(cur, 2, 0, 1, 3));
    }
    cur = ggml.unary(cur, 'relu');
  }
  cur = ggml.cont(ggml.permute(cur, 1, 2, 0, 3));
  cur = ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2]);
  const projection = g.weight('a.input_projection.weight');
  return projection ? g.addBias(g.mulMat(projection, cur), g.weight('a.input_projection.bias')) : cur;
}

function conformerLayer(g: ClipGraph, input: Tensor, layer: number, blocks: Blocks): Tensor {
  const norm = (cur: Tensor, name: string): Tensor => {
    const weight = g.layer(layer, `${name}.weight`);
    return weight ? g.norm(cur, weight, null, 'rms') : cur;
  };
  const halfStep = (residual: Tensor, suffix: string): Tensor => {
    const up = g.layer(layer, `ffn_up${suffix}.weight`);
    const down = g.layer(layer, `ffn_down${suffix}.weight`);
    if (!up || !down || !g.layer(layer, `ffn_norm${suffix}.weight`)) return residual;
    const cur = ggml.unary(g.mulMat(up, norm(residual, `ffn_norm${suffix}`)), 'silu');
    return ggml.add(residual, ggml.scale(norm(g.mulMat(down, cur), `ffn_post_norm${suffix}`)));
  };

  let residual = halfStep(input, '');
  const normed = norm(residual, g.layer(layer, 'attn_pre_norm.weight') ? 'attn_pre_norm' : 'ln1');
  const attended = attention(g, normed, layer, blocks);
  residual = ggml.add(residual, norm(attended, 'attn_post_norm'));
  residual = convolved(g, residual, layer);
  residual = halfStep(residual, '_1');
  return norm(residual, 'ln2');
}

function attention(g: ClipGraph, cur: Tensor, layer: number, blocks: Blocks): Tensor {
  const { nHead, headSize } = g.hparams;
  const { positions, count } = blocks;
  const padded = count * CHUNK;
  const perDimension = (tensor: Tensor, name: string): Tensor => {
    const weight = g.layer(layer, name);
    return weight ? ggml.mul(tensor, ggml.reshape(weight, headSize, 1, 1)) : tensor;
  };
  const [q0, k0, v] = ['attn_q', 'attn_k', 'attn_v']
    .map((name) => g.mulMat(g.layerNeed(layer, `${name}.weight`), cur))
    .map((tensor) => ggml.reshape(tensor, headSize, nHead, positions)) as [Tensor, Tensor, Tensor];
  let q = perDimension(ggml.scale(q0), 'per_dim_scale.weight');
  const k = perDimension(ggml.scale(k0), 'per_dim_k_scale.weight');

  q = ggml.reshape(ggml.padTo(q, [headSize, nHead, padded, 1]), headSize, nHead, CHUNK, count);
  q = ggml.cont(ggml.permute(q, 0, 3, 1, 2));
  const keys = ggml.cont(ggml.permute(overlapping(g, k, blocks), 0, 3, 1, 2));
  const values = ggml.cont(ggml.permute(overlapping(g, v, blocks), 1, 3, 0, 2));
  let scores = ggml.mulMat(keys, q);
  const relative = g.layer(layer, 'attn_k_rel.weight');
  if (relative) scores = ggml.add(scores, relativeScores(g, relative, q, blocks));
  scores = ggml.scale(ggml.unary(ggml.scale(scores), 'tanh'));
  const weights = ggml.softMax(ggml.add(scores, blocks.mask));

  let out = ggml.cont(ggml.permute(ggml.mulMat(values, weights), 0, 2, 3, 1));
  out = ggml.contTo(out, headSize * nHead, padded);
  if (padded > positions) out = ggml.cont(ggml.view2d(out, headSize * nHead, positions, out.nb[1], 0));
  return g.addBias(g.mulMat(g.layerNeed(layer, 'attn_out.weight'), out), g.layer(layer, 'attn_out.bias'));
}

/** Each chunk's context, copies where they overlap. */
function overlapping(g: ClipGraph, cur: Tensor, { count }: Blocks): Tensor {
  const { nHead, headSize } = g.hparams;
  cur = ggml.cont(roll(ggml.padTo(cur, [headSize, nHead, CONTEXT * count, 1])));
  return ggml.cont(ggml.view4d(cur, [headSize, nHead, CONTEXT, count], cur.nb[1], cur.nb[2], CHUNK * cur.nb[2], 0));
}

function relativeScores(g: ClipGraph, weight: Tensor, q: Tensor, { count, distances }: Blocks): Tensor {
  const { nHead, headSize } = g.hparams;
  let projected = ggml.reshape(ggml.mulMat(weight, distances), headSize, nHead, DISTANCES);
  projected = ggml.cont(ggml.permute(projected, 0, 2, 1, 3));
  let cur = ggml.mulMat(projected, ggml.reshape(q, headSize, CHUNK * count, nHead));
  cur = ggml.reshape(cur, DISTANCES, CHUNK, count, nHead);
  cur = ggml.padTo(cur, [CONTEXT + 1, CHUNK, count, nHead]);
  cur = ggml.reshape(cur, (CONTEXT + 1) * CHUNK, count, nHead);
  cur = ggml.cont(ggml.view3d(cur, [CHUNK * CONTEXT, count, nHead], cur.nb[1], cur.nb[2], 0));
  return ggml.reshape(cur, CONTEXT, CHUNK, count, nHead);
}

/** The convolution module; the file has its two norms under each other's names. */
function convolved(g: ClipGraph, residual: Tensor, layer: number): Tensor {
  const before = g.layer(layer, 'conv_norm.weight');
  const first = g.layer(layer, 'conv_pw1.weight');
  const depthwise = g.layer(layer, 'conv_dw.weight');
  const second = g.layer(layer, 'conv_pw2.weight');
  if (!before || !first || !depthwise || !second) return residual;
  let cur = g.mulMat(first, g.norm(residual, before, null, 'rms'));
  const half = cur.ne[0] / 2;
  const gate = ggml.unary(ggml.cont(ggml.view2d(cur, half, cur.ne[1], cur.nb[1], half * cur.nb[0])), 'sigmoid');
  cur = ggml.mul(ggml.view2d(cur, half, cur.ne[1], cur.nb[1], 0), gate);
  cur = ggml.cont(ggml.transpose(cur));
  cur = roll(ggml.padTo(cur, [cur.ne[0] + 4, cur.ne[1], 1, 1]));
  cur = g.addBias(ssmConv(cur, depthwise), g.layer(layer, 'conv_dw.bias'));
  const after = g.layer(layer, 'norm_conv.weight');
  if (after) cur = ggml.mul(ggml.rmsNorm(cur), after);
  return ggml.add(residual, g.mulMat(second, ggml.unary(cur, 'silu')));
}
