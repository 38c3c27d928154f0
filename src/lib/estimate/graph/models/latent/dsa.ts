import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { attention } from '../../attention/attention.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { gatingOf } from '../../experts/experts.js';
import {
  bestCells,
  indexerInput,
  indexerKeys,
  type IndexerInput,
  maskOfBest,
  maskToOpen,
} from '../../attention/indexer.js';
import { keyRotation } from '../../attention/kv-store.js';
import { latentHeads } from '../../attention/latent.js';
import { feedForward, projected } from '../../projections.js';
import { withSharedExperts } from '../../experts/shared-experts.js';
import { decoderGraph } from '../decoders/build.js';

/**
 * `src/models/deepseek32.cpp` and `glm-dsa.cpp` (llama.cpp v0.5.0): latent attention over the cells that an indexer chooses;
 * layers without an indexer of their own use the choice of the last that has one.
 */
export const sparseLatent = decoderGraph((g) => {
  const gating = gatingOf(g, 'sigmoid');
  const full = attentionInput(g).full;
  if (!full) throw graphError('latent attention needs a KV cache');
  const indexer = indexerInput(g);
  let best: Tensor | null = null;
  return {
    attentionInput: () => ({ full, sliding: null, batchMask: null, batchSlidingMask: null }),
    attention: (_, cur, layer, { positions, attention: input }) => {
      const low = g.rmsNorm(g.mulMat(g.layerNeed(layer, 'attn_q_a.weight'), cur), layer, 'attn_q_a_norm.weight');
      if (g.hparams.indexer.full[layer]) best = choose(g, indexer, cur, low, layer, positions);
      if (!best) throw graphError(`layer ${layer} has no indexer before it`);
      const q = g.mulMat(g.layerNeed(layer, 'attn_q_b.weight'), low);
      return attention(g, input, layer, latentHeads(g, cur, q, layer, positions), {
        valueUp: g.layerNeed(layer, 'attn_v_b.weight'),
        mask: maskOfBest(g, layer, maskToOpen(g, full.mask, indexer), best),
        cellsLeft: best.ne[0],
      });
    },
    feedForward: (_, cur, layer) =>
      layer < g.hparams.nLayerDenseLead
        ? feedForward(g, cur, layer, { activation: 'silu' })
        : withSharedExperts(g, cur, layer, { gating }),
    keepsForDraft: 'after-norm',
    head: { keepsNormed: true },
  };
});

/**
 * `src/models/dots3note.cpp` (llama.cpp v0.5.0): windows in most layers, the others over the cells that an indexer chooses;
 * each head has a gate.
 */
export const dots3Note = decoderGraph((g) => {
  const gating = gatingOf(g, 'sigmoid');
  const sizeInWindows = g.shape.keys.number('attention.key_length_mla_swa', 0);
  const input = attentionInput(g);
  const indexer = indexerInput(g);
  return {
    attentionInput: () => input,
    attention: (_, cur, layer, { positions }) => {
      const windowed = g.hparams.isSwa[layer] === true;
      const low = g.rmsNorm(g.mulMat(g.layerNeed(layer, 'attn_q_a.weight'), cur), layer, 'attn_q_a_norm.weight');
      const best = windowed ? null : choose(g, indexer, cur, low, layer, positions);
      const q = g.mulMat(g.layerNeed(layer, 'attn_q_b.weight'), low);
      const size = windowed ? sizeInWindows : g.hparams.headKMla;
      const heads = latentHeads(g, cur, q, layer, positions, { size, keyNorm: 'attn_k_norm.weight' });
      const attended = attention(g, input, layer, heads, {
        valueUp: g.layerNeed(layer, 'attn_v_b.weight'),
        output: null,
        ...(best && input.full
          ? { mask: maskOfBest(g, layer, maskToOpen(g, input.full.mask, indexer), best), cellsLeft: best.ne[0] }
          : {}),
      });
      return projected(g, gatedHeads(g, attended, cur, layer), layer, 'attn_output');
    },
    feedForward: (_, cur, layer) =>
      layer < g.hparams.nLayerDenseLead
        ? feedForward(g, cur, layer, { activation: 'silu' })
        : withSharedExperts(g, cur, layer, { gating }),
  };
});

function gatedHeads(g: GraphBuilder, attended: Tensor, cur: Tensor, layer: number): Tensor {
  const heads = g.head(layer).q;
  const size = attended.ne[0] / heads;
  const gates = ggml.unary(g.mulMat(g.layerNeed(layer, 'attn_gate.weight'), cur), 'sigmoid');
  const gated = ggml.mul(ggml.reshape(attended, size, heads, g.nTokens), ggml.reshape(gates, 1, heads, g.nTokens));
  return ggml.reshape(gated, size * heads, g.nTokens);
}

/** The cells that a layer's indexer chooses; its keys and queries are rotated by a Hadamard matrix unless told otherwise. */
export function choose(
  g: GraphBuilder,
  input: IndexerInput,
  cur: Tensor,
  low: Tensor,
  layer: number,
  positions: Tensor,
  spread = true,
): Tensor {
  const { headSize, heads } = g.hparams.indexer;
  const rotation = spread ? keyRotation(g, input, layer) : null;
  const mixed = (tensor: Tensor): Tensor => (rotation ? ggml.mulMat(rotation, tensor) : tensor);
  const q = g.mulMat(g.layerNeed(layer, 'indexer.attn_q_b.weight'), low);
  const rotated = ggml.rope(ggml.reshape(q, headSize, heads, g.nTokens), positions);
  const product = g.mulMat(g.layerNeed(layer, 'indexer.attn_k.weight'), cur);
  const normed = g.norm(
    product,
    g.layerWeight(layer, 'indexer.k_norm.weight'),
    g.layerWeight(layer, 'indexer.k_norm.bias'),
    'layer',
    layer,
  );
  const key = ggml.rope(ggml.reshape(normed, headSize, 1, g.nTokens), positions);
  const queries = mixed(rotated);
  const keys = indexerKeys(g, input, layer, mixed(key));
  const weights = g.mulMat(g.layerNeed(layer, 'indexer.proj.weight'), cur);
  return bestCells(g, input.mask, { queries, keys, weights });
}
