import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { cropEarly, finishKeepingHidden } from '../graph-end.js';
import { experts, weightsByHeader } from '../experts/experts.js';
import { mamba2Layer } from '../recurrent/mamba-layers.js';
import { feedForward, projectQkv } from '../projections.js';
import { recurrentInput } from '../recurrent/recurrent.js';

const SQUARED_RELU = { activation: 'relu_sqr' } as const;

/** `src/models/nemotron-h.cpp` (llama.cpp v0.5.0): each layer is Mamba-2, attention without rotation, or feed-forward. */
export function nemotronH(g: GraphBuilder): void {
  const { hparams } = g;
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const attentionInputs = attentionInput(g);
  const outIds = g.inputOutIds();
  const part = (cur: Tensor, layer: number): Tensor => {
    if (hparams.isRecurrent[layer]) return mamba2Layer(g, recurrent, cur, layer);
    if (hparams.nFf[layer] === 0) return attention(g, attentionInputs, layer, projectQkv(g, cur, layer));
    return g.layerWeight(layer, 'ffn_gate_inp.weight')
      ? latentExperts(g, cur, layer)
      : feedForward(g, cur, layer, SQUARED_RELU);
  };
  for (const layer of g.layers) {
    const cur = part(g.rmsNorm(layerInput, layer, 'attn_norm.weight'), layer);
    layerInput = ggml.add(cropEarly(g, layer, cur, outIds), cropEarly(g, layer, layerInput, outIds));
  }
  finishKeepingHidden(g, layerInput, outIds);
}

/** Experts may work on narrower rows than the shared one (Nemotron 3 Super). */
export function latentExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const down = g.layerWeight(layer, 'ffn_latent_down.weight');
  const up = g.layerWeight(layer, 'ffn_latent_up.weight');
  const input = down ? g.mulMat(down, cur) : cur;
  const count = g.params.llama.expertsOfLayer ? g.layerNeed(layer, 'ffn_up_exps.weight').ne[2] : g.hparams.nExpert;
  const routed = experts(g, input, layer, {
    count,
    ...SQUARED_RELU,
    gating: 'sigmoid',
    ...weightsByHeader(g),
    logits: g.mulMat(g.layerNeed(layer, 'ffn_gate_inp.weight'), cur),
  });
  const shared = feedForward(g, cur, layer, { ...SQUARED_RELU, suffix: '_shexp' });
  return ggml.add(up ? g.mulMat(up, routed) : routed, shared);
}
