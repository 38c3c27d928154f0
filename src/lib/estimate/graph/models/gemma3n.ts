import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { scaledEmbeddingInput } from '../embedding-input.js';
import { projectQkv } from '../projections.js';
import { perLayerInputs, slice } from './gemma-per-layer.js';
import { softCap } from '../graph-end.js';

/** `n_altup`, `n_embd_altup` (`src/llama-hparams.h`) and `n_layer_sparsity` (`src/models/models.h`): fixed in code. */
const STREAMS = 4;
const LAYER_WIDTH = 256;
export const SPARSE_LAYERS = 10;
/** The stream that attention and feed-forward work on: `i_altup_act`. */
const ACTIVE = 0;

/**
 * `src/models/gemma3n.cpp` (llama.cpp v0.5.0): four streams [width, tokens, 4], of which one is computed and the others
 * are predicted and corrected (AltUp), a low-rank side path (LAuReL), and embeddings for each layer.
 */
export function gemma3n(g: GraphBuilder): void {
  const embeddings = scaledEmbeddingInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const perLayer = perLayerInputs(g, embeddings, LAYER_WIDTH);
  let streams = spread(g, embeddings);
  for (const layer of g.layers) {
    const predictions = predict(g, streams, layer);
    const active = slice(predictions, ACTIVE);
    const normed = g.rmsNorm(active, layer, 'attn_norm.weight');
    const side = laurel(g, normed, layer);
    let cur = attend(g, normed, layer, inputs);
    cur = ggml.add(g.rmsNorm(cur, layer, 'post_attention_norm.weight'), active);
    const middle = ggml.scale(ggml.add(cur, side));
    cur = sparseFeedForward(g, g.rmsNorm(middle, layer, 'ffn_norm.weight'), layer);
    cur = g.norm(cur, g.layerNeed(layer, 'post_ffw_norm.weight'), null, 'rms', -1);
    const corrected = correct(g, predictions, ggml.add(cur, middle), layer);
    const first = layerEmbedding(g, corrected, perLayer, layer);
    streams = ggml.concat(slice(corrected, ACTIVE), ggml.add(others(corrected), first), 2);
  }
  const merged = g.pickOutputs(merge(g, streams), g.inputOutIds());
  g.finishWithHead(merged, 'rms', softCap);
}

/** All streams but the active one. */
function others(streams: Tensor): Tensor {
  const [width, tokens] = streams.ne;
  const row = ggml.rowSize(streams, width);
  return ggml.view3d(streams, [width, tokens, STREAMS - 1], row, row * tokens, row * tokens);
}

function magnitude(cur: Tensor): Tensor {
  return ggml.sqrt(ggml.sumRows(ggml.sqr(cur)));
}

/** From the embeddings to four streams of the same magnitude. */
function spread(g: GraphBuilder, embeddings: Tensor): Tensor {
  const target = magnitude(embeddings);
  const repeated = ggml.repeat(embeddings, [g.nEmbd, g.nTokens, STREAMS - 1, 1]);
  const added = ggml.mulMat(g.need('altup_proj.weight'), repeated);
  const size = magnitude(added);
  return ggml.concat(embeddings, ggml.div(ggml.mul(added, target), size), 2);
}

/** The mean of the four streams, brought back to one magnitude. */
function merge(g: GraphBuilder, streams: Tensor): Tensor {
  const target = magnitude(slice(streams, ACTIVE));
  let rest = ggml.mulMat(g.need('altup_unembd_proj.weight'), others(streams));
  rest = ggml.div(ggml.mul(rest, target), magnitude(rest));
  let sum = slice(streams, 0);
  for (let i = 0; i < STREAMS - 1; i++) sum = ggml.add(sum, slice(rest, i));
  return ggml.scale(sum);
}

function modalities(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const input = ggml.scale(g.rmsNorm(cur, layer, 'altup_router_norm.weight'));
  return ggml.unary(ggml.mulMat(g.layerNeed(layer, 'altup_router.weight'), input), 'tanh');
}

function predict(g: GraphBuilder, streams: Tensor, layer: number): Tensor {
  const mix = modalities(g, slice(streams, ACTIVE), layer);
  const coefficients = g.mulMat(g.layerNeed(layer, 'altup_predict_coef.weight'), mix);
  const perToken = ggml.reshape(coefficients, STREAMS, STREAMS, g.nTokens);
  const byToken = ggml.cont(ggml.permute(streams, 1, 2, 0, 3));
  const predicted = ggml.mulMat(byToken, perToken);
  return ggml.add(ggml.cont(ggml.permute(predicted, 0, 2, 1, 3)), streams);
}

function correct(g: GraphBuilder, predictions: Tensor, activated: Tensor, layer: number): Tensor {
  const mix = modalities(g, activated, layer);
  const innovation = ggml.sub(activated, slice(predictions, ACTIVE));
  const coefficients = ggml.scale(g.mulMat(g.layerNeed(layer, 'altup_correct_coef.weight'), mix));
  const perStream = ggml.contTo(ggml.transpose(coefficients), 1, g.nTokens, STREAMS);
  const repeated = ggml.repeat(innovation, [g.nEmbd, g.nTokens, STREAMS, 1]);
  return ggml.add(ggml.mul(repeated, perStream), predictions);
}

function laurel(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const low = g.mulMat(g.layerNeed(layer, 'laurel_l.weight'), cur);
  const back = g.mulMat(g.layerNeed(layer, 'laurel_r.weight'), low);
  return ggml.add(g.rmsNorm(back, layer, 'laurel_post_norm.weight'), cur);
}

/** Layers past the last with a cache of their own only have queries. */
function attend(g: GraphBuilder, cur: Tensor, layer: number, { positions, attention: input }: DecoderInputs): Tensor {
  const rotated = (heads: Tensor, norm: string): Tensor => ggml.rope(g.rmsNorm(heads, layer, norm), positions);
  if (layer >= g.hparams.nLayerKvFromStart) {
    return attention(g, input, layer, {
      q: rotated(queries(g, cur, layer), 'attn_q_norm.weight'),
      k: null,
      v: null,
    });
  }
  const { q, k, v } = projectQkv(g, cur, layer);
  return attention(g, input, layer, {
    q: rotated(q, 'attn_q_norm.weight'),
    k: rotated(k, 'attn_k_norm.weight'),
    v: ggml.rmsNorm(v),
  });
}

function queries(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const { k: size, q: heads } = g.head(layer);
  const fused = g.layerWeight(layer, 'attn_qkv.weight');
  if (!fused) return ggml.reshape(g.mulMat(g.layerNeed(layer, 'attn_q.weight'), cur), size, heads, g.nTokens);
  const qkv = g.mulMat(fused, cur);
  const rows = ggml.cont(ggml.view2d(qkv, size * heads, g.nTokens, qkv.nb[1], 0));
  return ggml.reshape(rows, size, heads, g.nTokens);
}

/** `gaussian_topk` on the gate of the first layers, then gate times up, not one fused op. */
function sparseFeedForward(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const up = g.mulMat(g.layerNeed(layer, 'ffn_up.weight'), cur);
  let gate = g.mulMat(g.layerNeed(layer, 'ffn_gate.weight'), cur);
  if (layer < SPARSE_LAYERS) {
    const mean = ggml.mean(gate);
    const deviation = ggml.sqrt(ggml.scale(ggml.sumRows(ggml.sqr(ggml.sub(gate, mean)))));
    const cutoff = ggml.add(mean, ggml.scale(deviation));
    gate = ggml.unary(ggml.sub(gate, cutoff), 'relu');
  }
  const activated = ggml.mul(up, ggml.unary(gate, 'gelu'));
  return g.mulMat(g.layerNeed(layer, 'ffn_down.weight'), activated);
}

function layerEmbedding(g: GraphBuilder, corrected: Tensor, perLayer: Tensor, layer: number): Tensor {
  const scaled = ggml.mul(slice(corrected, ACTIVE), g.layerNeed(layer, 'altup_correct_scale.weight'));
  const gate = ggml.unary(g.mulMat(g.layerNeed(layer, 'inp_gate.weight'), scaled), 'gelu');
  const gated = ggml.mul(gate, slice(perLayer, layer));
  return g.rmsNorm(g.mulMat(g.layerNeed(layer, 'proj.weight'), gated), layer, 'post_norm.weight');
}
