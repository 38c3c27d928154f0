import { batchAttentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { scaledEmbeddingInput } from '../../embedding-input.js';
import { decoder, ropeFactors, rotaryAttention } from '../../decoder.js';
import { type Activation, feedForward } from '../../projections.js';
import { denseOrExperts } from '../llama.js';

/** `llm_ffn_op_type_from_string` (`src/llama-model.cpp`); anything else is the default. */
const FUSED_GATES = new Map<string, Activation>([
  ['silu', 'swiglu'],
  ['swish', 'swiglu'],
  ['swiglu', 'swiglu'],
  ['relu', 'relu'],
  ['reglu', 'reglu'],
]);

/** `src/models/modern-bert.cpp` (llama.cpp v0.5.0): the first layer has no norm before its attention. */
export function modernBert(g: GraphBuilder): void {
  const activation = FUSED_GATES.get(g.shape.keys.text('hidden_activation') ?? '') ?? 'geglu';
  decoder(g, {
    inputs: () => g.norm(g.inputEmbeddings(), g.need('token_embd_norm.weight'), null, 'layer', 0),
    norm: 'layer',
    attentionNorm: (layer) => (g.layerWeight(layer, 'attn_norm.weight') ? 'attn_norm' : null),
    attention: rotaryAttention(),
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation }),
    finish: (_, cur) => g.finishWithEmbeddings(cur, 'layer'),
  });
}

/** `src/models/neo-bert.cpp` (llama.cpp v0.5.0). */
export function neoBert(g: GraphBuilder): void {
  decoder(g, {
    attention: rotaryAttention(),
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'swiglu' }),
    finish: (_, cur) => g.finishWithEmbeddings(cur, 'rms', 'enc.output_norm'),
  });
}

/** `src/models/eurobert.cpp` (llama.cpp v0.5.0). */
export function euroBert(g: GraphBuilder): void {
  decoder(g, {
    attention: rotaryAttention(),
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'silu' }),
    finish: (_, cur) => g.finishWithEmbeddings(cur),
  });
}

/** `src/models/gemma-embedding.cpp` (llama.cpp v0.5.0). */
export function gemmaEmbedding(g: GraphBuilder): void {
  decoder(g, {
    inputs: () => scaledEmbeddingInput(g),
    attention: rotaryAttention({ headNorms: true, scaleQ: true }),
    postAttentionNorm: 'post_attention_norm',
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'gelu' }),
    postFeedForwardNorm: 'post_ffw_norm',
    finish: (_, cur) => g.finishWithEmbeddings(cur),
  });
}

/** `src/models/llama.cpp` as an encoder (llama.cpp v0.5.0): a KV cache is made, but the batch attends to itself alone. */
export function llamaEmbed(g: GraphBuilder): void {
  decoder(g, {
    attentionInput: batchAttentionInput,
    attention: rotaryAttention({ factors: ropeFactors }),
    feedForward: denseOrExperts,
    finish: (_, cur) => g.finishWithEmbeddings(cur),
  });
}
