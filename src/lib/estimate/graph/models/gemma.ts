import * as ggml from '../../ggml/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { scaledEmbeddingInput } from '../embedding-input.js';
import { decoder, rotaryAttention } from '../decoder.js';
import { feedForward } from '../projections.js';

/** Logits squeezed into a range: three ops more over the whole vocabulary. */
export function softCap(logits: Tensor): Tensor {
  return ggml.scale(ggml.unary(ggml.scale(logits), 'tanh'));
}

function gemma(g: GraphBuilder, headNorms: boolean, capped: boolean, inputs: (g: GraphBuilder) => Tensor): void {
  decoder(g, {
    inputs,
    attention: rotaryAttention({ headNorms, scaleQ: true }),
    postAttentionNorm: 'post_attention_norm',
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'gelu' }),
    postFeedForwardNorm: 'post_ffw_norm',
    finish: (_, cur) => g.finishWithHead(cur, 'rms', (logits) => (capped ? softCap(logits) : logits)),
  });
}

/** `src/models/gemma2.cpp` (llama.cpp v0.5.0). */
export function gemma2(g: GraphBuilder): void {
  gemma(g, false, true, () => ggml.scale(g.inputEmbeddings()));
}

/** `src/models/gemma3.cpp` (llama.cpp v0.5.0). */
export function gemma3(g: GraphBuilder): void {
  gemma(g, true, g.shape.keys.number('final_logit_softcapping', 0) !== 0, scaledEmbeddingInput);
}
