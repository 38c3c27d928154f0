import type { FfnOp } from '../../../../model/projector/encoder-hparams.js';
import { pool1d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { topK } from '../../../ggml/ops/sparse-ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph, NormKind } from '../clip-graph.js';

export interface VitOptions {
  readonly norm: NormKind;
  /** Added to the patches before the first layer. */
  readonly positions?: Tensor | null;
  /** Rotates queries and keys. */
  readonly rotate?: (cur: Tensor) => Tensor;
  readonly mask?: (layer: number) => Tensor | null;
  /** Hears each layer's residual stream after attention. */
  readonly onLayer?: (cur: Tensor, layer: number) => void;
  /** The last norm's weight, where it has another name than `post_ln`. */
  readonly postNorm?: string;
  readonly skipsPostNorm?: boolean;
  /** Instead of the header's. */
  readonly ffn?: FfnOp;
}

/** Encoders whose result is averaged over pairs: `audio_has_avgpool` (`tools/mtmd/clip-model.h`). */
const AVERAGED = new Set(['qwen2a', 'voxtral', 'musicflamingo']);

/** `build_vit` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0): the transformer over [embedding, positions, images]. */
export function vit(g: ClipGraph, input: Tensor, nPos: number, options: VitOptions): Tensor {
  const { nEmbd, nLayer } = g.hparams;
  const images = input.ne[2];
  if (options.positions) input = ggml.add(input, options.positions);
  let stream = ggml.reshape(input, nEmbd, nPos * images);
  const preNorm = g.own('pre_ln.weight');
  if (preNorm) stream = g.norm(stream, preNorm, g.own('pre_ln.bias'), options.norm);
  for (let layer = 0; layer < nLayer; layer++) stream = vitLayer(g, stream, layer, nPos, images, options);

  if (AVERAGED.has(g.type)) {
    const columns = ggml.cont(ggml.transpose(stream));
    stream = ggml.cont(ggml.transpose(pool1d(columns, 2)));
  }
  const postNorm = options.skipsPostNorm
    ? null
    : options.postNorm === undefined
      ? g.own('post_ln.weight')
      : g.weight(options.postNorm);
  if (postNorm) stream = g.norm(stream, postNorm, g.own('post_ln.bias'), options.norm);
  return ggml.reshape(stream, nEmbd, stream.ne[1] / images, images);
}

function vitLayer(
  g: ClipGraph,
  stream: Tensor,
  layer: number,
  nPos: number,
  images: number,
  { norm, rotate, mask, onLayer, ffn }: VitOptions,
): Tensor {
  const scaled = (cur: Tensor, name: string): Tensor => {
    const weight = g.layer(layer, name);
    return weight ? ggml.mul(cur, weight) : cur;
  };
  const postNormed = (cur: Tensor, name: string): Tensor => {
    const weight = g.layer(layer, name);
    return weight ? g.norm(cur, weight, null, norm) : cur;
  };

  const qkv = heads(g, g.layerNorm(stream, layer, 'ln1', norm), layer, nPos, images, norm);
  if (rotate) {
    qkv.q = rotate(qkv.q);
    qkv.k = rotate(qkv.k);
  }
  if (g.type === 'gemma4v') qkv.v = ggml.rmsNorm(qkv.v);
  let cur = g.layerAttention(layer, { ...qkv, mask: mask?.(layer) ?? null });
  cur = postNormed(scaled(cur, 'ls1.weight'), 'attn_post_norm.weight');
  const residual = ggml.add(cur, stream);
  onLayer?.(residual, layer);

  cur = feedForward(g, g.layerNorm(residual, layer, 'ln2', norm), layer, ffn ?? g.hparams.ffn);
  cur = scaled(postNormed(cur, 'ffn_post_norm.weight'), 'ls2.weight');
  return scaled(ggml.add(residual, cur), 'out_scale.weight');
}

function feedForward(g: ClipGraph, cur: Tensor, layer: number, op: FfnOp): Tensor {
  const gates = g.layer(layer, 'ffn_gate_exps.weight');
  return gates ? expertFeedForward(g, cur, layer, gates) : g.layerFfn(cur, layer, op);
}

/** `build_moe_ffn` (`tools/mtmd/clip.cpp`): experts chosen by a sigmoid, their weights' sum being one. */
function expertFeedForward(g: ClipGraph, cur: Tensor, layer: number, gates: Tensor): Tensor {
  const [width, tokens] = cur.ne;
  const experts = gates.ne[2];
  const used = Math.min(g.hparams.nExpertUsed, experts);
  const odds = ggml.unary(g.mulMat(g.layerNeed(layer, 'ffn_gate_inp.weight'), cur), 'sigmoid');
  const selected = topK(g.addBias(odds, g.layer(layer, 'exp_probs_b.weight')), used);
  let weights = ggml.reshape(ggml.getRows(ggml.reshape(odds, 1, experts, tokens), selected), used, tokens);
  weights = ggml.reshape(ggml.div(weights, ggml.sumRows(weights)), 1, used, tokens);

  const rows = ggml.reshape(cur, width, 1, tokens);
  const gate = ggml.mulMatId(gates, rows, selected);
  const up = ggml.mulMatId(g.layerNeed(layer, 'ffn_up_exps.weight'), rows, selected);
  const activated = ggml.mul(ggml.unary(gate, 'silu'), up);
  const down = ggml.mulMatId(g.layerNeed(layer, 'ffn_down_exps.weight'), activated, selected);
  const weighted = ggml.mul(down, weights);
  const view = (i: number): Tensor => ggml.view2d(weighted, weighted.ne[0], tokens, weighted.nb[2], i * weighted.nb[1]);
  let sum = view(0);
  for (let i = 1; i < used; i++) sum = ggml.add(sum, view(i));
  return used === 1 ? ggml.cont(sum) : sum;
}

interface Heads {
  q: Tensor;
  k: Tensor;
  v: Tensor;
}

function heads(g: ClipGraph, cur: Tensor, layer: number, nPos: number, images: number, norm: NormKind): Heads {
  const qNorm = g.layer(layer, 'attn_q_norm.weight');
  const kNorm = g.layer(layer, 'attn_k_norm.weight');
  const fused = g.layer(layer, 'attn_qkv.weight');
  if (fused) {
    const { q, k, v } = fusedHeads(g, cur, layer, nPos, images);
    return { q: qNorm ? g.norm(q, qNorm, null, norm) : q, k: kNorm ? g.norm(k, kNorm, null, norm) : k, v };
  }
  const { headSize, nHead, nHeadKv } = g.hparams;
  const projected = (name: string): Tensor =>
    g.addBias(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layer(layer, `${name}.bias`));
  let [q, k, v] = [projected('attn_q'), projected('attn_k'), projected('attn_v')];
  const perHead = qNorm?.ne[0] === headSize;
  if (!perHead) {
    if (qNorm) q = g.norm(q, qNorm, null, norm);
    if (kNorm) k = g.norm(k, kNorm, null, norm);
  }
  q = ggml.reshape(q, headSize, nHead, nPos, images);
  k = ggml.reshape(k, headSize, nHeadKv, nPos, images);
  v = ggml.reshape(v, headSize, nHeadKv, nPos, images);
  if (perHead) {
    if (qNorm) q = g.norm(q, qNorm, null, norm);
    if (kNorm) k = g.norm(k, kNorm, null, norm);
  }
  return { q, k, v };
}

/** Queries, keys and values as views of one product. */
export function fusedHeads(g: ClipGraph, cur: Tensor, layer: number, nPos: number, images: number): Heads {
  const { headSize, nHead } = g.hparams;
  const product = g.addBias(g.mulMat(g.layerNeed(layer, 'attn_qkv.weight'), cur), g.layer(layer, 'attn_qkv.bias'));
  const part = (index: number): Tensor =>
    ggml.view4d(
      product,
      [headSize, nHead, nPos, images],
      ggml.rowSize(product, headSize),
      product.nb[1],
      product.nb[1] * nPos,
      ggml.rowSize(product, index * nHead * headSize),
    );
  return { q: part(0), k: part(1), v: part(2) };
}
