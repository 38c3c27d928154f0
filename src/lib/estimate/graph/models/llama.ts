import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { decoder, ropeFactors, rotaryAttention } from '../decoder.js';
import { experts } from '../experts.js';
import { feedForward } from '../projections.js';

const dense = (g: GraphBuilder, cur: Tensor, layer: number): Tensor =>
  feedForward(g, cur, layer, { activation: 'silu' });

function softmaxExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  return experts(g, cur, layer, {
    activation: 'silu',
    gating: 'softmax',
    normalise: true,
    scale: g.shape.keys.number('expert_weights_scale', 0),
  });
}

export function denseOrExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  return g.layerWeight(layer, 'ffn_gate_inp.weight') ? softmaxExperts(g, cur, layer) : dense(g, cur, layer);
}

/** `src/models/llama.cpp`: dense, or a mixture of experts in every layer (Mixtral). */
export function llama(g: GraphBuilder): void {
  decoder(g, { attention: rotaryAttention({ factors: ropeFactors }), feedForward: denseOrExperts });
}

/** `src/models/qwen2.cpp`. */
export function qwen2(g: GraphBuilder): void {
  decoder(g, { attention: rotaryAttention(), feedForward: dense });
}

/** `src/models/qwen3.cpp`. */
export function qwen3(g: GraphBuilder): void {
  decoder(g, { attention: rotaryAttention({ headNorms: true }), feedForward: dense });
}

/** `src/models/qwen3moe.cpp`. */
export function qwen3moe(g: GraphBuilder): void {
  decoder(g, { attention: rotaryAttention({ headNorms: true }), feedForward: softmaxExperts });
}

/** Every fourth layer is not rotated: `n_no_rope_layer_step` in `src/models/smollm3.cpp`. */
const NO_ROPE_STEP = 4;

/** `src/models/smollm3.cpp`. */
export function smollm3(g: GraphBuilder): void {
  const attention = rotaryAttention({ rotates: (_, layer) => (layer + 1) % NO_ROPE_STEP !== 0 });
  decoder(g, { attention, feedForward: dense });
}

/** `src/models/phi3.cpp`: fused QKV, gate and up in one matrix. */
export function phi3(g: GraphBuilder): void {
  decoder(g, {
    attention: rotaryAttention({ factors: ropeFactors, scaleQ: true }),
    feedForward: (_, cur, layer) =>
      g.layerWeight(layer, 'ffn_gate_inp.weight')
        ? softmaxExperts(g, cur, layer)
        : feedForward(g, cur, layer, { activation: 'swiglu' }),
    residualFirst: true,
  });
}

/** `src/models/openai-moe.cpp`: attention sinks, windows in every second layer. */
export function gptOss(g: GraphBuilder): void {
  decoder(g, {
    attention: rotaryAttention({ options: (_, layer) => ({ sinks: g.layerWeight(layer, 'attn_sinks.weight') }) }),
    feedForwardNorm: 'post_attention_norm',
    feedForward: (_, cur, layer) =>
      experts(g, cur, layer, {
        activation: 'swiglu_oai',
        gating: 'softmax_weight',
        normalise: false,
        scale: g.shape.keys.number('expert_weights_scale', 0),
      }),
    pickAfterLayers: true,
  });
}
