/** What `build_attn` adds after the output projection, where it is given it. */
const OUTPUT_BIAS = 'attn_output.bias';
const FREQUENCIES = 'rope_freqs.weight';

/**
 * Weights, named as in a block, that an architecture loads where a file has them and that its graph does not read: the loader
 * asks for more than `src/models/*.cpp` (llama.cpp v0.5.0) hands to `build_attn`, `build_ffn` and `ggml_rope_ext`.
 */
const UNREAD: Readonly<Record<string, readonly string[]>> = {
  cogvlm: [FREQUENCIES],
  ernie4_5: [OUTPUT_BIAS],
  'ernie4_5-moe': [OUTPUT_BIAS],
  'falcon-h1': [FREQUENCIES, OUTPUT_BIAS],
  llada: [FREQUENCIES, OUTPUT_BIAS, 'ffn_gate.bias', 'ffn_up.bias', 'ffn_down.bias'],
  mimo2: ['attn_qkv.bias', 'attn_q.bias', 'attn_k.bias', 'attn_v.bias'],
  'pangu-embedded': [FREQUENCIES, 'rope_factors_long.weight', 'rope_factors_short.weight'],
  refact: [OUTPUT_BIAS, 'ffn_gate.bias', 'ffn_up.bias', 'ffn_down.bias'],
};

export function unreadWeights(architecture: string): readonly string[] {
  return Object.hasOwn(UNREAD, architecture) ? (UNREAD[architecture] ?? []) : [];
}
