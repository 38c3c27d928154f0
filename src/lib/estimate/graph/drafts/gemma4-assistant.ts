import { graphError } from '../../ggml/graph-error.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { targetsTable } from '../loaded/loaded-tensors.js';
import { feedForward, projected } from '../projections.js';

/**
 * `src/models/gemma4-assistant.cpp` (llama.cpp v0.5.0): a few layers that only have queries and attend to what the target has
 * cached.
 */
export function gemma4Assistant(g: GraphBuilder): void {
  const { hparams, target } = g;
  if (!target) throw graphError('an assistant without the model that it drafts for');
  const tokens = ggml.scale(ggml.getRows(targetsTable(target), ggml.newInput(I32, g.nTokens)));
  const both = ggml.concat(tokens, ggml.newInput(F32, hparams.nEmbdOut, g.nTokens), 0);
  const input = attentionInput(g);
  const positions = g.inputPositions();
  const outIds = g.inputOutIds();
  let layerInput = ggml.mulMat(preProjection(g), both);
  for (let layer = 0; layer < hparams.nLayerAll; layer++) {
    const normed = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    const { k: size, q: heads } = g.head(layer);
    const rows = ggml.reshape(projected(g, normed, layer, 'attn_q'), size, heads, g.nTokens);
    const factors = hparams.isSwa[layer] ? null : g.sharedWeight(layer, 'rope_freqs.weight');
    const q = ggml.rope(g.rmsNorm(rows, layer, 'attn_q_norm.weight'), positions, factors);
    let cur = attention(g, input, layer, { q, k: null, v: null });
    if (layer === hparams.nLayerAll - 1) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    const middle = ggml.add(g.rmsNorm(cur, layer, 'post_attention_norm.weight'), layerInput);
    cur = feedForward(g, g.rmsNorm(middle, layer, 'ffn_norm.weight'), layer, { activation: 'gelu' });
    cur = g.norm(cur, g.layerNeed(layer, 'post_ffw_norm.weight'), null, 'rms', -1);
    layerInput = ggml.mul(ggml.add(cur, middle), g.layerNeed(layer, 'layer_output_scale.weight'));
  }
  const normed = g.norm(layerInput, g.need('output_norm.weight'), null, 'rms', -1);
  g.finish(g.mulMat(g.outputHead(), normed));
  const next = ggml.mulMat(g.need('nextn.post_projection.weight'), normed);
  g.keepHidden(g.expand(next));
}

function preProjection(g: GraphBuilder): Tensor {
  return g.weight('nextn.pre_projection.weight') ?? g.layerNeed(0, 'nextn.pre_projection.weight');
}
