import * as ggml from '../../../ggml/ops/ops.js';
import { attention } from '../../attention/attention.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { experts } from '../../experts/experts.js';
import { mambaLayer } from '../../recurrent/mamba-layers.js';
import { feedForward, projectQkv } from '../../projections.js';
import { recurrentInput } from '../../recurrent/recurrent.js';

/** `src/models/jamba.cpp` (llama.cpp v0.5.0): Mamba, and attention without rotation where a layer has KV heads. */
export function jamba(g: GraphBuilder): void {
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const attentionInputs = attentionInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    cur = g.hparams.isRecurrent[layer]
      ? mambaLayer(g, recurrent, cur, layer)
      : attention(g, attentionInputs, layer, projectQkv(g, cur, layer));
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    const middle = ggml.add(layerInput, cur);
    cur = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    cur = g.layerWeight(layer, 'ffn_gate_inp.weight')
      ? experts(g, cur, layer, {
          activation: 'silu',
          gating: 'softmax',
          normalise: false,
          scale: 0,
        })
      : feedForward(g, cur, layer, { activation: 'silu' });
    layerInput = ggml.add(middle, cur);
  }
  g.finishWithHead(layerInput);
}
