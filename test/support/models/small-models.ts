import { buildGguf, type Entry, type GgufSpec } from './gguf-writer.js';
import type { ServedFile } from '../servers/range-server.js';

/** The header of a small model in front of zeros, as a server or a sparse file has it. */
export function smallModel(tensorName = 'token_embd.weight', etag = '"v1"', extra: GgufSpec = {}): ServedFile {
  const spec: GgufSpec = {
    metadata: [
      ['general.architecture', 'llama', 'str'],
      ['llama.block_count', 1, 'u32'],
    ],
    tensors: [{ name: tensorName, dims: [256, 4], type: 'Q4_K' }],
    ...extra,
  };
  const { header, dataBytes } = buildGguf(spec);
  return { start: header, size: header.length + dataBytes, etag };
}

/** Part `number` (from 1) of a split model with one tensor in each part. */
export function modelPart(number: number, count: number, total = count): ServedFile {
  const first: Entry[] = number === 1 ? [['general.architecture', 'llama', 'str']] : [];
  return smallModel(`blk.${number - 1}.attn_q.weight`, `"part-${number}"`, {
    metadata: [
      ...first,
      ['split.no', number - 1, 'u16'],
      ['split.count', count, 'u16'],
      ['split.tensors.count', total, 'i32'],
    ],
  });
}

/** A header of about 3 MB in front of 4.6 GB of weights. */
export function bigModel(etag = '"v1"'): ServedFile & { readonly size: number; readonly unpaddedBytes: number } {
  const metadata: Entry[] = [
    ['general.architecture', 'llama', 'str'],
    ['tokenizer.ggml.tokens', Array.from({ length: 150_000 }, (_, index) => `token-${index}`), '[str]'],
  ];
  const tensors = [{ name: 'token_embd.weight', dims: [8192, 1_000_000], type: 'Q4_K' }];
  const { header, dataBytes, unpaddedBytes } = buildGguf({ metadata, tensors });
  return { start: header, size: header.length + dataBytes, etag, unpaddedBytes };
}
