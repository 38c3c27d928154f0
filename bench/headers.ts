import { buildGguf, type BuiltGguf, type Entry, type TensorEntry } from '../test/support/models/gguf-writer.js';

/** Vocabularies whose headers are as long as those of published models. */
export const SIZES: readonly { readonly name: string; readonly vocab: number; readonly merges: boolean }[] = [
  { name: '0.7 MB', vocab: 37_500, merges: false },
  { name: '6 MB', vocab: 168_000, merges: true },
  { name: '8 MB', vocab: 223_000, merges: true },
  { name: '13 MB', vocab: 362_000, merges: true },
];

const LAYERS = 64;

/** The header of a dense model of 64 layers with a made-up vocabulary. */
export function benchHeader(vocab: number, merges: boolean): BuiltGguf {
  const tokens = Array.from({ length: vocab }, (_, index) => `tok${index.toString(36)}`);
  const metadata: Entry[] = [
    ['general.architecture', 'qwen2', 'str'],
    ['qwen2.block_count', LAYERS, 'u32'],
    ['qwen2.context_length', 32768, 'u32'],
    ['qwen2.embedding_length', 5120, 'u32'],
    ['qwen2.attention.head_count', 40, 'u32'],
    ['qwen2.attention.head_count_kv', 8, 'u32'],
    ['tokenizer.ggml.model', 'gpt2', 'str'],
    ['tokenizer.ggml.tokens', tokens, '[str]'],
    ['tokenizer.ggml.token_type', tokens.map(() => 1), '[i32]'],
  ];
  if (merges) metadata.push(['tokenizer.ggml.merges', tokens.slice(256).map((token) => `${token} x`), '[str]']);
  return buildGguf({ metadata, tensors: tensors(vocab) });
}

function tensors(vocab: number): TensorEntry[] {
  const outside = [
    { name: 'token_embd.weight', dims: [5120, vocab], type: 'Q4_K' },
    { name: 'output_norm.weight', dims: [5120], type: 'F32' },
    { name: 'output.weight', dims: [5120, vocab], type: 'Q6_K' },
  ];
  const blocks = Array.from({ length: LAYERS }, (_, block) => [
    { name: `blk.${block}.attn_k.weight`, dims: [5120, 1024], type: 'Q4_K' },
    { name: `blk.${block}.attn_norm.weight`, dims: [5120], type: 'F32' },
    { name: `blk.${block}.attn_output.weight`, dims: [5120, 5120], type: 'Q4_K' },
    { name: `blk.${block}.attn_q.weight`, dims: [5120, 5120], type: 'Q4_K' },
    { name: `blk.${block}.attn_v.weight`, dims: [5120, 1024], type: 'Q6_K' },
    { name: `blk.${block}.ffn_down.weight`, dims: [27648, 5120], type: 'Q6_K' },
    { name: `blk.${block}.ffn_gate.weight`, dims: [5120, 27648], type: 'Q4_K' },
    { name: `blk.${block}.ffn_norm.weight`, dims: [5120], type: 'F32' },
    { name: `blk.${block}.ffn_up.weight`, dims: [5120, 27648], type: 'Q4_K' },
  ]);
  return [...outside, ...blocks.flat()];
}
