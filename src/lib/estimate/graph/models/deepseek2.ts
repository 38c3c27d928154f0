import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import type { GraphBuilder } from '../builder.js';
import type { DecoderInputs } from '../attention/attention-input.js';
import { gatingOf } from '../experts/experts.js';
import { latentQueries } from '../attention/latent.js';
import { feedForward, type Heads } from '../projections.js';
import { withSharedExperts } from '../experts/shared-experts.js';
import { decoderGraph } from './decoders/build.js';

/** What a token's K and V are compressed to: [rank, tokens] and, rotated, [rope, 1, tokens]. */
interface Latent {
  readonly compressed: Tensor;
  readonly rotated: Tensor;
}

/** `scales` are those of queries far into the context, null where there are none. */
type LatentAttention = (
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  inputs: DecoderInputs,
  scales: Tensor | null,
) => Tensor;

/** Vocabulary of GLM 4.7 Lite, whose files do not name their gating. */
const GLM_LITE = { vocab: 154880, layers: [47, 48] };

/** `src/models/deepseek2.cpp` (llama.cpp v0.5.0): latent attention, in the new layout over the compressed cache. */
export const deepseek2 = decoderGraph((g) => {
  const { hparams, shape } = g;
  const scales = shape.keys.real('attention.temperature_scale', 0) !== 0 ? g.inputQueryScales() : null;
  const attend = hparams.headKMla > 0 ? absorbedAttention : expandedAttention;
  return {
    attention: (_, cur, layer, inputs) => attend(g, cur, layer, inputs, scales),
    feedForward: (_, cur, layer) =>
      layer < hparams.nLayerDenseLead
        ? feedForward(g, cur, layer, { activation: 'silu' })
        : deepseekExperts(g, cur, layer),
    keepsForDraft: 'after-norm',
    head: { keepsNormed: true },
  };
});

export function deepseekExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const { nVocab, nLayer } = g.hparams;
  const glmLite = nVocab === GLM_LITE.vocab && GLM_LITE.layers.includes(nLayer);
  return withSharedExperts(g, cur, layer, { gating: gatingOf(g, glmLite ? 'sigmoid' : 'softmax') });
}

export function deepseekAttention(g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs): Tensor {
  return absorbedAttention(g, cur, layer, inputs, null);
}

/** Queries of all heads: [head size, heads, tokens]. */
function queries(g: GraphBuilder, cur: Tensor, layer: number, headSize: number): Tensor {
  return ggml.reshape(latentQueries(g, cur, layer), headSize, g.head(layer).q, g.nTokens);
}

function latent(g: GraphBuilder, cur: Tensor, layer: number, positions: Tensor, factors: Tensor | null = null): Latent {
  const rope = g.hparams.nRot;
  const both = g.mulMat(g.layerNeed(layer, 'attn_kv_a_mqa.weight'), cur);
  const rank = both.ne[0] - rope;
  const row = both.nb[1];
  const compressed = ggml.view2d(both, rank, g.nTokens, row, 0);
  const tail = ggml.view3d(both, [rope, 1, g.nTokens], row, row, ggml.rowSize(both, rank));
  const rotated = ggml.rope(tail, positions, factors);
  return { compressed: g.rmsNorm(compressed, layer, 'attn_kv_a_norm.weight'), rotated };
}

const scaled = (q: Tensor, scales: Tensor | null): Tensor => (scales ? ggml.mul(q, scales) : q);

/** New layout: queries are brought into the latent space, where all heads share one K; V is its first part. */
const absorbedAttention: LatentAttention = (g, cur, layer, inputs, scales) => {
  const { headKMla, nRot } = g.hparams;
  const q = queries(g, cur, layer, headKMla);
  const { compressed, rotated } = latent(g, cur, layer, inputs.positions);
  const plainSize = headKMla - nRot;
  const part = (size: number, offset: number): Tensor =>
    ggml.view3d(q, [size, q.ne[1], g.nTokens], q.nb[1], q.nb[2], offset);
  const plain = part(plainSize, 0);
  const rotatedQ = ggml.rope(part(nRot, ggml.rowSize(q, plainSize)), inputs.positions);
  const keyUp = g.layerNeed(layer, 'attn_k_b.weight');
  const absorbed = ggml.permute(ggml.mulMat(keyUp, ggml.permute(plain, 0, 2, 1, 3)), 0, 2, 1, 3);
  const query = ggml.concat(absorbed, rotatedQ, 0);
  const v = ggml.reshape(compressed, compressed.ne[0], 1, g.nTokens);
  const k = ggml.concat(v, rotated, 0);
  const valueUp = g.layerNeed(layer, 'attn_v_b.weight');
  return attention(g, inputs.attention, layer, { q: scaled(query, scales), k, v }, { valueUp });
};

/** Old layout: K and V of every head are computed and cached. */
const expandedAttention: LatentAttention = (g, cur, layer, inputs, scales) => {
  const { q, k, v } = expandedHeads(g, cur, layer, inputs.positions);
  return attention(g, inputs.attention, layer, { q: scaled(q, scales), k, v });
};

/** Rotated queries, and K and V of every head brought out of the latent rows. */
export function expandedHeads(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  positions: Tensor,
  factors: Tensor | null = null,
): Heads {
  const { k: headK, v: headV, q: heads } = g.head(layer);
  const { nRot } = g.hparams;
  const plainSize = headK - nRot;
  const q = queries(g, cur, layer, headK);
  const { compressed, rotated } = latent(g, cur, layer, positions, factors);
  const both = g.mulMat(g.layerNeed(layer, 'attn_kv_b.weight'), compressed);
  const head = ggml.rowSize(both, plainSize + headV);
  const part = (size: number, offset: number): Tensor =>
    ggml.view3d(both, [size, heads, g.nTokens], head, head * heads, offset);
  const plain = part(plainSize, 0);
  const v = ggml.cont(part(headV, ggml.rowSize(both, plainSize)));
  const k = ggml.concat(plain, ggml.repeat(rotated, [nRot, heads, g.nTokens, 1]), 0);
  return { q: ggml.rope(q, positions, factors), k, v };
}
