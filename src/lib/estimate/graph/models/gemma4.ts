import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { scaledEmbeddingInput } from '../embedding-input.js';
import { cropEarly, cropLate } from '../output-rows.js';
import { experts } from '../experts/experts.js';
import { feedForward, projectRows } from '../projections.js';
import { perLayerInputs, perLayerRows, slice } from './gemma-per-layer.js';
import { softCap } from './gemma.js';
import { graphError } from '../../ggml/graph-error.js';

const GELU = { activation: 'gelu' } as const;
/** `f_final_logit_softcapping` where the file has none (`src/llama-hparams.h`). */
const DEFAULT_CAP = 30;

/** `src/models/gemma4.cpp` (llama.cpp v0.5.0): dense, with experts, or with embeddings for each layer. */
export function gemma4(g: GraphBuilder): void {
  const width = g.shape.keys.number('embedding_length_per_layer_input', 0);
  const rows = width > 0 && g.params.llama.lookupsFirst ? g.expand(perLayerRows(g)) : null;
  const embeddings = scaledEmbeddingInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  const perLayer = width > 0 ? perLayerInputs(g, embeddings, width, rows) : null;
  let layerInput = embeddings;
  for (const layer of g.layers) {
    g.tapInput(layer, layerInput);
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    cur = cropEarly(g, layer, attend(g, cur, layer, inputs), outIds);
    layerInput = cropEarly(g, layer, layerInput, outIds);
    cur = g.rmsNorm(cur, layer, 'post_attention_norm.weight');
    const attended = ggml.add(cur, layerInput);
    cur = fed(g, attended, layer);
    cur = g.norm(cur, g.layerNeed(layer, 'post_ffw_norm.weight'), null, 'rms', -1);
    cur = ggml.add(cur, attended);
    if (perLayer)
      cur = ggml.add(cur, layerEmbedding(g, cur, cropEarly(g, layer, slice(perLayer, layer), outIds), layer));
    const scale = g.layerWeight(layer, 'layer_output_scale.weight');
    layerInput = g.steer(scale ? ggml.mul(cur, scale) : cur, layer);
  }
  finish(g, layerInput, outIds);
}

/** Layers past the last with a cache of their own only have queries; full layers may use K as V. */
function attend(g: GraphBuilder, cur: Tensor, layer: number, { positions, attention: input }: DecoderInputs): Tensor {
  const { hparams } = g;
  const { k: size, q: nHead, kv: nHeadKv } = g.head(layer);
  const factors = hparams.isSwa[layer] ? null : g.sharedWeight(layer, 'rope_freqs.weight');
  const rotated = (rows: Tensor, heads: number, norm: string): Tensor =>
    ggml.rope(g.rmsNorm(ggml.reshape(rows, size, heads, g.nTokens), layer, norm), positions, factors);
  const fused = g.layerWeight(layer, 'attn_qkv.weight') ? projectRows(g, cur, layer) : null;
  const row = (name: string): Tensor | null => {
    const weight = g.layerWeight(layer, `${name}.weight`);
    return weight && g.mulMat(weight, cur, g.layerWeight(layer, `${name}.scale`));
  };
  const q = rotated(fused?.q ?? need(row('attn_q')), nHead, 'attn_q_norm.weight');
  if (layer >= hparams.nLayerKvFromStart) return attention(g, input, layer, { q, k: null, v: null });
  const keyRows = fused?.k ?? need(row('attn_k'));
  const valueRows = fused?.v ?? row('attn_v') ?? keyRows;
  const k = rotated(keyRows, nHeadKv, 'attn_k_norm.weight');
  const v = ggml.rmsNorm(ggml.reshape(valueRows, size, nHeadKv, g.nTokens));
  return attention(g, input, layer, { q, k, v });
}

function need(rows: Tensor | null): Tensor {
  if (!rows) throw graphError('attention without queries or keys');
  return rows;
}

/** The dense part; with experts both, each with norms before and after, the router reading the plain sum. */
function fed(g: GraphBuilder, attended: Tensor, layer: number): Tensor {
  const dense = feedForward(g, g.rmsNorm(attended, layer, 'ffn_norm.weight'), layer, GELU);
  const router = g.layerWeight(layer, 'ffn_gate_inp.weight');
  if (!router) return dense;
  const denseNormed = g.rmsNorm(dense, layer, 'post_ffw_norm_1.weight');
  const expertInput = g.rmsNorm(attended, layer, 'pre_ffw_norm_2.weight');
  const routed = ggml.mul(ggml.scale(ggml.rmsNorm(attended)), g.layerNeed(layer, 'ffn_gate_inp.scale'));
  const logits = g.mulMat(router, routed);
  const mixed = experts(g, expertInput, layer, { ...GELU, gating: 'softmax', normalise: true, scale: 1, logits });
  return ggml.add(denseNormed, g.rmsNorm(mixed, layer, 'post_ffw_norm_2.weight'));
}

function layerEmbedding(g: GraphBuilder, cur: Tensor, own: Tensor, layer: number): Tensor {
  const gate = ggml.unary(g.mulMat(g.layerNeed(layer, 'inp_gate.weight'), cur), 'gelu');
  const gated = ggml.mul(gate, own);
  return g.rmsNorm(g.mulMat(g.layerNeed(layer, 'proj.weight'), gated), layer, 'post_norm.weight');
}

/** Rows without output are dropped after the final norm, whose result is kept for a draft head. */
function finish(g: GraphBuilder, cur: Tensor, outIds: Tensor): void {
  const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
  g.keepHidden(normed);
  const picked = cropLate(g, normed, outIds);
  g.embeddings = picked;
  const logits = g.mulMat(g.outputHead(), picked, g.weight('output.scale'));
  g.finish(g.shape.keys.real('final_logit_softcapping', DEFAULT_CAP) === 0 ? logits : softCap(logits));
}
