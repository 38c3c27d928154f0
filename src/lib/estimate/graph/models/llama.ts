import * as ggml from '../../ggml/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention.js';
import type { GraphBuilder } from '../builder.js';
import { type DecoderInputs, preNormDecoder } from '../decoder.js';
import { experts } from '../experts.js';
import { feedForward, projectQkv } from '../projections.js';

/** Rotary embedding of Q and K; `norms`: each head is normalised before (Qwen3) . */
function rotaryAttention(options: { norms?: boolean; factors?: boolean } = {}) {
  return (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs): Tensor => {
    const factors = options.factors ? ropeFactors(g, layer) : null;
    const { q, k, v } = projectQkv(g, cur, layer);
    const prepare = (heads: Tensor, norm: string): Tensor =>
      ggml.rope(options.norms ? g.rmsNorm(heads, layer, norm) : heads, inputs.positions, factors);
    return attention(g, inputs.attention, layer, {
      q: prepare(q, 'attn_q_norm.weight'),
      k: prepare(k, 'attn_k_norm.weight'),
      v,
    });
  };
}

/** `llama_model::get_rope_factors` (`src/llama-model.cpp`). */
export function ropeFactors(g: GraphBuilder, layer: number): Tensor | null {
  const { nCtxSeq } = g.params;
  const { nCtxOrigYarn } = g.hparams;
  return (
    g.sharedWeight(layer, 'rope_freqs.weight') ??
    g.sharedWeight(layer, nCtxSeq > nCtxOrigYarn ? 'rope_factors_long.weight' : 'rope_factors_short.weight')
  );
}

const dense = (g: GraphBuilder, cur: Tensor, layer: number): Tensor =>
  feedForward(g, cur, layer, { activation: 'silu' });

/** `src/models/llama.cpp`: dense, or a mixture of experts in every layer (Mixtral). */
export function llama(g: GraphBuilder): void {
  preNormDecoder(g, {
    attention: rotaryAttention({ factors: true }),
    feedForward: (_, cur, layer) =>
      g.layerWeight(layer, 'ffn_gate_inp.weight')
        ? experts(g, cur, layer, {
            activation: 'silu',
            gating: 'softmax',
            normalise: true,
            scale: g.shape.keys.number('expert_weights_scale', 0),
          })
        : dense(g, cur, layer),
  });
}

/** `src/models/qwen2.cpp`. */
export function qwen2(g: GraphBuilder): void {
  preNormDecoder(g, { attention: rotaryAttention(), feedForward: dense });
}

/** `src/models/qwen3.cpp`. */
export function qwen3(g: GraphBuilder): void {
  preNormDecoder(g, { attention: rotaryAttention({ norms: true }), feedForward: dense });
}

/** `src/models/qwen3moe.cpp`. */
export function qwen3moe(g: GraphBuilder): void {
  preNormDecoder(g, {
    attention: rotaryAttention({ norms: true }),
    feedForward: (_, cur, layer) =>
      experts(g, cur, layer, {
        activation: 'silu',
        gating: 'softmax',
        normalise: true,
        scale: g.shape.keys.number('expert_weights_scale', 0),
      }),
  });
}
