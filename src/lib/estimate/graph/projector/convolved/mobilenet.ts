import { conv2dDepthwise, conv2dDirect, interpolate, padAround, pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** Tokens along each side. */
const OUTPUT_SIDE = 16;
const STAGES = 4;
const POINT = { stride: 1, padding: 0 };

/** `clip_graph_mobilenetv5` (`tools/mtmd/models/mobilenetv5.cpp`, llama.cpp v0.5.0): Gemma 3n, [width, height, channels, images]. */
export function mobilenet(g: ClipGraph): Tensor {
  let cur = samePadded(g.rawInput(), 3, 2);
  cur = conv2dDirect(g.need('v.conv_stem.conv.weight'), cur, { stride: 2, padding: 0 });
  cur = g.addBias(cur, g.weight('v.conv_stem.conv.bias'));
  cur = ggml.unary(normed(g, cur, 'v.conv_stem.bn.weight'), 'gelu');

  const stages = Array.from({ length: STAGES }, (_, stage) => blocksOf(g, stage)).filter(({ length }) => length > 0);
  const ends: Tensor[] = [];
  for (const blocks of stages) {
    blocks.forEach((name, i) => (cur = block(g, cur, name, i === 0 ? 2 : 1)));
    ends.push(cur);
  }
  const fused = stages.length >= STAGES ? ends.slice(2) : ends.slice(-1);
  return projected(g, fused.length > 0 ? multiScale(g, fused as [Tensor, ...Tensor[]]) : cur);
}

function blocksOf(g: ClipGraph, stage: number): readonly string[] {
  const names: string[] = [];
  const first = ['conv_exp.weight', 'dw_start.conv.weight', 'pw_exp.conv.weight', 'attn.query.proj.weight'];
  for (let i = 0; first.some((part) => g.weight(`v.blk.${stage}.${i}.${part}`) !== null); i++) {
    names.push(`v.blk.${stage}.${i}`);
  }
  return names;
}

function block(g: ClipGraph, cur: Tensor, name: string, stride: number): Tensor {
  if (g.weight(`${name}.conv_exp.weight`)) return edgeResidual(g, cur, name, stride);
  return g.weight(`${name}.attn.query.proj.weight`) ? attention(g, cur, name) : inverted(g, cur, name, stride);
}

/** `rms_norm_2d`. */
function rmsNorm2d(cur: Tensor, weight: Tensor): Tensor {
  const rows = ggml.mul(ggml.rmsNorm(ggml.cont(ggml.permute(cur, 2, 1, 0, 3))), weight);
  return ggml.cont(ggml.permute(rows, 2, 1, 0, 3));
}

function normed(g: ClipGraph, cur: Tensor, name: string): Tensor {
  const weight = g.weight(name);
  return weight ? rmsNorm2d(cur, weight) : cur;
}

/** `pad_same_2d`: as much as makes a step's results cover everything, less of it before than after. */
function samePadded(cur: Tensor, kernel: number, stride: number): Tensor {
  const missing = (length: number): number => Math.max(0, (Math.ceil(length / stride) - 1) * stride + kernel - length);
  const [width, height, channels, images] = cur.ne;
  const [across, down] = [missing(width), missing(height)];
  if (across === 0 && down === 0) return cur;
  const isBefore = across > 1 || down > 1;
  const ne = [width + across, height + down, channels, images] as const;
  return isBefore ? padAround(cur, ne) : ggml.padTo(cur, ne);
}

function edgeResidual(g: ClipGraph, input: Tensor, name: string, stride: number): Tensor {
  const kernel = g.need(`${name}.conv_exp.weight`);
  const isStepping = stride === 2;
  let cur = conv2dDirect(kernel, isStepping ? samePadded(input, 3, stride) : input, {
    stride,
    padding: isStepping ? 0 : 1,
  });
  cur = ggml.unary(normed(g, cur, `${name}.bn1.weight`), 'gelu');
  cur = conv2dDirect(g.need(`${name}.conv_pwl.weight`), cur, POINT);
  cur = normed(g, cur, `${name}.bn2.weight`);
  const isAlike = stride === 1 && input.ne[2] === cur.ne[2] && input.ne[0] === cur.ne[0];
  return isAlike ? ggml.add(cur, input) : cur;
}

function inverted(g: ClipGraph, input: Tensor, name: string, stride: number): Tensor {
  let cur = input;
  const start = g.weight(`${name}.dw_start.conv.weight`);
  if (start) {
    cur = conv2dDepthwise(start, cur, { stride: 1, padding: Math.floor(start.ne[0] / 2) });
    cur = normed(g, cur, `${name}.dw_start.bn.weight`);
  }
  const expand = g.weight(`${name}.pw_exp.conv.weight`);
  if (expand) cur = ggml.unary(normed(g, conv2dDirect(expand, cur, POINT), `${name}.pw_exp.bn.weight`), 'gelu');
  const mid = g.weight(`${name}.dw_mid.conv.weight`);
  if (mid) {
    const size = mid.ne[0];
    cur =
      stride > 1
        ? conv2dDepthwise(mid, samePadded(cur, size, stride), { stride, padding: 0 })
        : conv2dDepthwise(mid, cur, { stride, padding: Math.floor(size / 2) });
    cur = ggml.unary(normed(g, cur, `${name}.dw_mid.bn.weight`), 'gelu');
  }
  const project = g.weight(`${name}.pw_proj.conv.weight`);
  if (project) cur = normed(g, conv2dDirect(project, cur, POINT), `${name}.pw_proj.bn.weight`);
  const scale = g.weight(`${name}.layer_scale.gamma`);
  if (scale) cur = ggml.mul(cur, scale);
  const isAlike = [0, 1, 2].every((i) => input.ne[i] === cur.ne[i]);
  return isAlike ? ggml.add(cur, input) : cur;
}

/** `build_mobilenet_attn`: many heads of queries, one of keys and values from a smaller image. */
function attention(g: ClipGraph, input: Tensor, name: string): Tensor {
  const cur = normed(g, input, `${name}.norm.weight`);
  const smaller = (part: 'key' | 'value'): Tensor => {
    const kernel = g.weight(`${name}.attn.${part}.down_conv.weight`);
    if (!kernel) return cur;
    const stepped = conv2dDepthwise(kernel, samePadded(cur, kernel.ne[0], 2), { stride: 2, padding: 0 });
    return normed(g, stepped, `${name}.attn.${part}.norm.weight`);
  };
  const product = (part: string, of: Tensor): Tensor =>
    conv2dDirect(g.need(`${name}.attn.${part}.proj.weight`), of, POINT);
  const q = product('query', cur);
  const k = product('key', smaller('key'));
  const v = product('value', smaller('value'));

  const [width, height, , images] = cur.ne;
  const headSize = k.ne[2];
  const heads = Math.floor(q.ne[2] / headSize);
  const [positions, cells] = [width * height, k.ne[0] * k.ne[1]];
  const flat = (tensor: Tensor, count: number, n: number): Tensor =>
    ggml.reshape(ggml.reshape(tensor, count, headSize * n, images), count, headSize, n, images);
  const queries = ggml.cont(ggml.permute(flat(q, positions, heads), 1, 0, 2, 3));
  const keys = ggml.cont(ggml.permute(flat(k, cells, 1), 1, 0, 2, 3));
  const values = ggml.cont(flat(v, cells, 1));
  const scores = ggml.softMax(ggml.scale(ggml.mulMat(keys, queries)));
  let out = ggml.cont(ggml.permute(ggml.mulMat(values, scores), 1, 0, 2, 3));
  out = ggml.reshape(out, positions, headSize * heads, images);
  out = product('output', ggml.cont(ggml.reshape(out, width, height, headSize * heads, images)));
  if (input.ne[0] !== out.ne[0] || input.ne[2] !== out.ne[2]) return out;
  const scale = g.weight(`${name}.layer_scale.gamma`);
  return ggml.add(scale ? ggml.mul(out, scale) : out, input);
}

/** Features of two sizes together, through a network, and averaged to the tokens. */
function multiScale(g: ClipGraph, [finest, ...others]: readonly [Tensor, ...Tensor[]]): Tensor {
  const [width, height] = finest.ne;
  const resized = others.map((feature) => {
    if (feature.ne[0] >= width && feature.ne[1] >= height) return feature;
    const times = Math.floor(width / feature.ne[0]);
    return interpolate(feature, feature.ne[0] * times, feature.ne[1] * times);
  });
  let cur = resized.reduce((all, feature) => ggml.concat(all, feature, 2), finest);
  const expand = g.weight('v.msfa.ffn.pw_exp.conv.weight');
  if (expand) cur = ggml.unary(normed(g, conv2dDirect(expand, cur, POINT), 'v.msfa.ffn.pw_exp.bn.weight'), 'gelu');
  const project = g.weight('v.msfa.ffn.pw_proj.conv.weight');
  if (project) cur = normed(g, conv2dDirect(project, cur, POINT), 'v.msfa.ffn.pw_proj.bn.weight');
  if (cur.ne[0] > OUTPUT_SIDE) cur = pool2d(cur, Math.floor(cur.ne[0] / OUTPUT_SIDE));
  return normed(g, cur, 'v.msfa.norm.weight');
}

function projected(g: ClipGraph, encoded: Tensor): Tensor {
  const [width, height, channels, images] = encoded.ne;
  let cur = ggml.cont(ggml.permute(ggml.permute(encoded, 2, 1, 0, 3), 0, 2, 1, 3));
  cur = ggml.cont(ggml.reshape(cur, channels, width * height, images));
  cur = ggml.rmsNorm(ggml.scale(cur));
  const weight = g.weight('mm.soft_emb_norm.weight');
  if (weight) cur = ggml.mul(cur, weight);
  const projection = g.weight('mm.input_projection.weight');
  return ggml.rmsNorm(projection ? g.mulMat(projection, cur) : cur);
}
