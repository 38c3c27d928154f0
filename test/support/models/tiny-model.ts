import { buildGguf, type Entry, type GgufSpec, type TensorEntry } from './gguf-writer.js';
import { writeSparseFile } from '../sparse-file.js';

const WIDTH = 256;

/** A whole llama of one layer: some hundred kilobytes, to which a launch adds the runtime's overhead. */
export function tinyModelSpec(metadata: readonly Entry[] = []): GgufSpec {
  const matrix = (name: string): TensorEntry => ({ name: `blk.0.${name}.weight`, dims: [WIDTH, WIDTH], type: 'F16' });
  const vector = (name: string): TensorEntry => ({ name: `${name}.weight`, dims: [WIDTH], type: 'F32' });
  const matrices = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
  return {
    metadata: [
      ['general.architecture', 'llama', 'str'],
      ['llama.block_count', 1, 'u32'],
      ['llama.context_length', 512, 'u32'],
      ['llama.embedding_length', WIDTH, 'u32'],
      ['llama.feed_forward_length', WIDTH, 'u32'],
      ['llama.attention.head_count', 4, 'u32'],
      ['llama.attention.layer_norm_rms_epsilon', 1e-5, 'f32'],
      ['llama.vocab_size', 4, 'u32'],
      ['tokenizer.ggml.model', 'no_vocab', 'str'],
      ['tokenizer.ggml.tokens', ['a', 'b', 'c', 'd'], '[str]'],
      ...metadata,
    ],
    tensors: [
      { name: 'token_embd.weight', dims: [WIDTH, 4], type: 'F16' },
      vector('output_norm'),
      vector('blk.0.attn_norm'),
      vector('blk.0.ffn_norm'),
      ...matrices.map(matrix),
    ],
  };
}

/** The same as a file. */
export async function writeTinyModel(path: string, metadata: readonly Entry[] = []): Promise<void> {
  const { header, dataBytes } = buildGguf(tinyModelSpec(metadata));
  await writeSparseFile(path, header, header.length + dataBytes);
}
