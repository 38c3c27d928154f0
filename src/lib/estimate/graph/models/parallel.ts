import * as ggml from '../../ggml/ops.js';
import { attention, attentionInput } from '../attention.js';
import type { GraphBuilder } from '../builder.js';
import { decoder, ropeFactors } from '../decoder.js';
import { feedForward, projectQkv, projectRows, splitHeads } from '../projections.js';

/** `src/models/cohere2.cpp` (llama.cpp v0.5.0): attention and feed-forward read the same norm, side by side. */
export function cohere2(g: GraphBuilder): void {
  let layerInput = g.inputEmbeddings();
  const positions = g.inputPositions();
  const attentionInputs = attentionInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let normed = g.norm(layerInput, g.layerNeed(layer, 'attn_norm.weight'), null, 'layer', layer);
    const heads = projectQkv(g, normed, layer);
    const factors = ropeFactors(g, layer);
    const rotated = g.hparams.isSwa[layer]
      ? { ...heads, q: ggml.rope(heads.q, positions, factors), k: ggml.rope(heads.k, positions, factors) }
      : heads;
    let attended = attention(g, attentionInputs, layer, rotated);
    if (g.isLast(layer)) {
      attended = g.pickOutputs(attended, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
      normed = g.pickOutputs(normed, outIds);
    }
    const fed = feedForward(g, normed, layer, { activation: 'silu' });
    layerInput = ggml.add(ggml.add(fed, layerInput), attended);
  }
  const scaled = g.shape.keys.number('logit_scale', 0) !== 0;
  g.finishWithHead(layerInput, 'layer', (logits) => (scaled ? ggml.scale(logits) : logits));
}

/** `src/models/olmo2.cpp` (llama.cpp v0.5.0): norms after the branches, and over whole rows of Q and K. */
export function olmo2(g: GraphBuilder): void {
  decoder(g, {
    attentionNorm: null,
    attention: (_, cur, layer, inputs) => {
      const rows = projectRows(g, cur, layer);
      const normed = {
        q: g.rmsNorm(rows.q, layer, 'attn_q_norm.weight'),
        k: g.rmsNorm(rows.k, layer, 'attn_k_norm.weight'),
        v: rows.v,
      };
      const { q, k, v } = splitHeads(g, normed, layer);
      const rotated = { q: ggml.rope(q, inputs.positions), k: ggml.rope(k, inputs.positions), v };
      return attention(g, inputs.attention, layer, rotated);
    },
    postAttentionNorm: 'post_attention_norm',
    feedForwardNorm: null,
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'silu' }),
    postFeedForwardNorm: 'post_ffw_norm',
  });
}
