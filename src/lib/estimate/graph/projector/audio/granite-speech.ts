import * as ggml from '../../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { queryLayer } from '../queries.js';
import { convolvedInTime, gatedHalf, halfStep } from './conformer.js';

/** Layers of the projector, whatever the header says. */
const PROJECTOR_LAYERS = 2;

interface Blocks {
  readonly frames: number;
  readonly count: number;
  readonly distances: Tensor;
  /** Where the last block is not full. */
  readonly mask: Tensor | null;
}

/** `clip_graph_granite_speech` (`tools/mtmd/models/granite-speech.cpp`, llama.cpp v0.5.0): a conformer in blocks, then queries. */
export function graniteSpeech(g: ClipGraph): Tensor {
  const { chunkSize, nLayer, featureLayers } = g.hparams;
  const frames = g.size.width;
  const count = Math.ceil(frames / chunkSize);
  const blocks: Blocks = {
    frames,
    count,
    distances: ggml.newInput(I32, chunkSize * chunkSize),
    mask: frames % chunkSize > 0 ? ggml.newInput(F32, chunkSize, chunkSize, 1, count) : null,
  };
  let cur = ggml.cont(ggml.transpose(g.rawInput(1)));
  cur = ggml.add(g.mulMat(g.need('a.input_projection.weight'), cur), g.need('a.input_projection.bias'));
  let features: Tensor | null = featureLayers.includes(0) ? cur : null;
  for (let layer = 0; layer < nLayer; layer++) {
    cur = conformerLayer(g, cur, layer, blocks);
    if (featureLayers.includes(layer + 1)) features = features ? ggml.concat(features, cur, 0) : cur;
    if (layer + 1 === Math.floor(nLayer / 2)) cur = ggml.add(cur, classified(g, cur));
  }
  if (features) cur = ggml.concat(features, cur, 0);
  return projected(g, cur, frames);
}

/** What the classifier of tokens makes of it, brought back. */
function classified(g: ClipGraph, cur: Tensor): Tensor {
  const linear = (name: string, input: Tensor): Tensor =>
    ggml.add(g.mulMat(g.need(`${name}.weight`), input), g.need(`${name}.bias`));
  return linear('a.enc_ctc_out_mid', ggml.softMax(linear('a.enc_ctc_out', cur)));
}

function conformerLayer(g: ClipGraph, input: Tensor, layer: number, blocks: Blocks): Tensor {
  let residual = halfStep(g, input, layer, '');
  residual = ggml.add(residual, attention(g, residual, layer, blocks));
  residual = ggml.add(residual, convolution(g, residual, layer));
  return g.layerNorm(halfStep(g, residual, layer, '_1'), layer, 'ln2', 'layer');
}

function attention(g: ClipGraph, residual: Tensor, layer: number, { frames, count, distances, mask }: Blocks): Tensor {
  const { nEmbd, headSize, nHead, chunkSize } = g.hparams;
  const padded = count * chunkSize;
  let normed = g.layerNorm(residual, layer, 'ln1', 'layer');
  if (frames < padded) normed = ggml.padTo(normed, [nEmbd, padded, 1, 1]);
  const [q, k, v] = ['attn_q', 'attn_k', 'attn_v']
    .map((name) => g.mulMat(g.layerNeed(layer, `${name}.weight`), normed))
    .map((head) => ggml.reshape(head, headSize, nHead, chunkSize, count)) as [Tensor, Tensor, Tensor];
  const scores = ggml.mulMat(ggml.cont(ggml.permute(k, 0, 2, 1, 3)), ggml.permute(q, 0, 2, 1, 3));
  let table = ggml.getRows(g.layerNeed(layer, 'attn_rel_pos_emb'), distances);
  table = ggml.reshape(ggml.reshape(table, headSize, chunkSize, chunkSize), headSize, chunkSize, 1, chunkSize);
  let relative = ggml.mulMat(table, ggml.permute(q, 0, 1, 3, 2));
  relative = ggml.cont(ggml.permute(relative, 0, 2, 3, 1));
  const weights = ggml.softMax(ggml.add(scores, relative), mask, null, false);
  let out = ggml.permute(ggml.mulMat(ggml.cont(ggml.permute(v, 1, 2, 0, 3)), weights), 0, 2, 1, 3);
  out = ggml.contTo(out, nEmbd, padded);
  if (frames < padded) out = ggml.view2d(out, nEmbd, frames, out.nb[1], 0);
  return ggml.add(g.mulMat(g.layerNeed(layer, 'attn_out.weight'), out), g.layerNeed(layer, 'attn_out.bias'));
}

function convolution(g: ClipGraph, residual: Tensor, layer: number): Tensor {
  const cur = g.layerNorm(residual, layer, 'norm_conv', 'layer');
  const first = ggml.add(g.mulMat(g.layerNeed(layer, 'conv_pw1.weight'), cur), g.layerNeed(layer, 'conv_pw1.bias'));
  const padding = Math.floor(g.hparams.convKernel / 2);
  let out = convolvedInTime(g, ggml.cont(ggml.transpose(gatedHalf(first))), layer, padding);
  out = ggml.add(ggml.mul(out, g.layerNeed(layer, 'conv_norm.weight')), g.layerNeed(layer, 'conv_norm.bias'));
  out = g.mulMat(g.layerNeed(layer, 'conv_pw2.weight'), ggml.unary(out, 'silu'));
  return ggml.add(out, g.layerNeed(layer, 'conv_pw2.bias'));
}

/** Some queries read each window of frames. */
function projected(g: ClipGraph, cur: Tensor, frames: number): Tensor {
  const {
    nEmbd,
    queries: { window, downsample, nHead },
  } = g.hparams;
  const count = Math.floor(window / downsample);
  const windows = Math.ceil(frames / window);
  const width = cur.ne[0];
  if (frames < windows * window) cur = ggml.padTo(cur, [width, windows * window, 1, 1]);
  const encoded = ggml.reshape(cur, width, window, windows);
  const query = g.namedNorm(g.need('a.proj_query'), 'a.proj_norm', 'layer');
  let queries = ggml.repeat(ggml.reshape(query, nEmbd, count, 1), [nEmbd, count, windows, 1]);
  for (let layer = 0; layer < PROJECTOR_LAYERS; layer++) {
    queries = queryLayer(g, { queries, encoded, prefix: `a.proj_blk.${layer}`, nHead, op: 'gelu', isFlat: false });
  }
  const flat = ggml.reshape(queries, nEmbd, count * windows);
  return ggml.add(g.mulMat(g.need('a.proj_linear.weight'), flat), g.need('a.proj_linear.bias'));
}
