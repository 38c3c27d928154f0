import { describe, expect, test } from '@jest/globals';
import { flashAttentionBytes } from '../../../../../src/lib/estimate/ggml/cuda/flash-attention.js';
import { newTensor, result } from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName, type GgmlType } from '../../../../../src/lib/gguf/ggml-types.js';

const Q8_0 = ggmlTypeByName('Q8_0') as GgmlType;

/** 32 query heads of 128 on 8 heads of a cache of 256 cells. */
function attention(tokens: number, cache: GgmlType): Tensor {
  const query = newTensor(F32, 128, tokens, 32);
  const kv = () => newTensor(cache, 128, 256, 8);
  return result('FLASH_ATTN_EXT', F32, [128, 32, tokens, 1], query, kv(), kv(), newTensor(F16, 256, tokens));
}

describe('flash attention on a CUDA card takes', () => {
  test('its result, where the cache is f16: 128 × 32 × 512 floats', () => {
    expect(flashAttentionBytes(attention(512, F16))).toBe(128 * 32 * 512 * 4);
  });

  test('beside it f16 copies of K and of V, where many tokens read another type: 2 × 128 × 256 × 8 halves', () => {
    expect(flashAttentionBytes(attention(512, Q8_0))).toBe(128 * 32 * 512 * 4 + 2 * (128 * 256 * 8 * 2));
  });

  test('its result alone, where one token reads q8_0 as it is', () => {
    expect(flashAttentionBytes(attention(1, Q8_0))).toBe(128 * 32 * 4);
  });
});
