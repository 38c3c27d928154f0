import { batchAttentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import type { Activation } from '../../projections.js';
import type { DecoderSpec } from '../decoders/spec.js';

/** `llm_ffn_op_type_from_string` (`src/llama-model.cpp`); anything else is the default. */
const FUSED_GATES = new Map<string, Activation>([
  ['silu', 'swiglu'],
  ['swish', 'swiglu'],
  ['swiglu', 'swiglu'],
  ['relu', 'relu'],
  ['reglu', 'reglu'],
]);

/** `src/models/modern-bert.cpp` (llama.cpp v0.5.0): the first layer has no norm before its attention. */
function modernBert(g: GraphBuilder): DecoderSpec {
  return {
    input: { norm: 'token_embd_norm' },
    norm: 'layer',
    norms: { attention: (_, layer) => (g.layerWeight(layer, 'attn_norm.weight') ? 'attn_norm' : null) },
    feedForward: { activation: FUSED_GATES.get(g.shape.keys.text('hidden_activation') ?? '') ?? 'geglu' },
    head: { embeddings: 'output_norm' },
  };
}

/**
 * Models of the decoders' form that attend over the whole batch, without a cache: encoders, and diffusion models, which do
 * have a head (`src/models/*.cpp`, llama.cpp v0.5.0).
 */
export const PRE_NORM_SPECS: Readonly<Record<string, DecoderSpec | ((g: GraphBuilder) => DecoderSpec)>> = {
  'modern-bert': modernBert,
  'neo-bert': { feedForward: { activation: 'swiglu' }, head: { embeddings: 'enc.output_norm' } },
  eurobert: { head: { embeddings: 'output_norm' } },
  'gemma-embedding': {
    input: { scaled: 'tokens' },
    norms: {
      afterAttention: 'post_attention_norm',
      afterFeedForward: 'post_ffw_norm',
      unpinned: ['afterFeedForward'],
    },
    attention: { headNorms: 'before', scaledQueries: true },
    feedForward: { activation: 'gelu' },
    head: { embeddings: 'output_norm' },
  },
  /** A KV cache is made, but the batch attends to itself alone. */
  'llama-embed': {
    attentionInput: batchAttentionInput,
    feedForward: { experts: { scaled: true } },
    head: { embeddings: 'output_norm' },
  },
  dream: {},
  llada: {},
  'llada-moe': { attention: { headNorms: 'before' }, feedForward: { experts: { normalise: false, scaled: true } } },
  rnd1: { attention: { headNorms: 'before' }, feedForward: { experts: { scaled: true } } },
};
