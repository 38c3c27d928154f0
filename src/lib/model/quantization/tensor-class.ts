import type { GgufTensor } from '../../gguf/header.js';

/**
 * Groups of tensors that quantization recipes tell apart. `output`: the output head, or the embedding that serves as
 * one; `value`: V, and what holds V among other things; `fused`: a Q, K and V in one, where files treat it by itself.
 */
export type TensorClass =
  'output' | 'embedding' | 'value' | 'fused' | 'key' | 'query' | 'attention' | 'up' | 'gate' | 'down' | 'other';

/** Names that `tensor_allows_quantization` in `src/llama-quant.cpp` of llama.cpp v0.5.0 leaves as they are. */
const NEVER_QUANTIZED =
  /_norm\.weight|ffn_gate_inp\.weight|ffn_gate_tid2eid|altup|laurel|per_layer_model_proj|ssm_conv1d|shortconv\.conv\.weight|indexer\.[kq]_proj\.weight|time_mix_(first|[wva][012]|g[12]|decay_w[12]|lerp_fused)\.weight|attn_rel_b\.weight|\.position_embd|^(position_embd|token_types)\.weight/;

/** Patterns in the order in which the first match decides: `tensor_get_category` in `src/llama-quant.cpp`. */
const CLASSES: readonly (readonly [RegExp, TensorClass])[] = [
  [/^output\.weight$/, 'output'],
  [/attn_(qkv|kv_b|v)\.weight/, 'value'],
  [/attn_k\.weight/, 'key'],
  [/attn_q\.weight/, 'query'],
  [/attn_output\.weight/, 'attention'],
  [/ffn_up/, 'up'],
  [/ffn_gate/, 'gate'],
  [/ffn_down/, 'down'],
];

/** The class of a tensor, or undefined when it keeps its type. */
export function tensorClass(
  { name, dims }: Pick<GgufTensor, 'name' | 'dims'>,
  isTied: boolean,
  fusedAsOwnClass: boolean,
): TensorClass | undefined {
  // `ggml_n_dims`
  if (!dims.slice(1).some((length) => length > 1) || !name.endsWith('weight') || NEVER_QUANTIZED.test(name))
    return undefined;
  if (/^(token_embd|per_layer_token_embd)\.weight$/.test(name)) return isTied ? 'output' : 'embedding';
  if (fusedAsOwnClass && name.includes('attn_qkv.weight')) return 'fused';
  return CLASSES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
