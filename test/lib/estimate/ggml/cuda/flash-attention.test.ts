import { describe, expect, test } from '@jest/globals';
import { flashAttentionBytes, flashAttentionRuns } from '../../../../../src/lib/estimate/ggml/cuda/flash-attention.js';
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

interface Heads {
  readonly value?: number;
  readonly queries?: number;
  readonly keys?: number;
  readonly cells?: number;
  readonly type?: string;
  readonly types?: readonly [k: string, v: string];
  readonly masks?: number;
}

/** One token on a cache whose key heads have so many numbers. */
function ofHeads(key: number, more: Heads = {}): Tensor {
  const {
    value = key,
    queries = 32,
    keys = queries,
    cells = 256,
    type = 'F16',
    types = [type, type],
    masks = 1,
  } = more;
  const [k, v] = types.map((name, i) =>
    newTensor(ggmlTypeByName(name) as GgmlType, i === 0 ? key : value, cells, keys),
  );
  const mask = masks === 0 ? [] : [newTensor(F16, cells, 1, masks)];
  const query = newTensor(F32, key, 1, queries);
  return result('FLASH_ATTN_EXT', F32, [value, queries, 1, 1], query, k as Tensor, v as Tensor, ...mask);
}
const runs = (key: number, more: Heads = {}): boolean => flashAttentionRuns(ofHeads(key, more));

describe('flash attention runs on a CUDA card', () => {
  test('with heads of some sizes, keys and values alike, whoever shares them (`ggml_cuda_get_best_fattn_kernel`)', () => {
    const sizes = [40, 64, 72, 80, 96, 112, 128, 256];
    expect(sizes.filter((size) => runs(size, { masks: 0 }))).toEqual(sizes);
    expect([32, 48, 60, 160, 192, 320, 384].filter((size) => runs(size, { keys: 1 }))).toEqual([]);
    expect(sizes.filter((size) => runs(size, { value: size === 128 ? 64 : 128 }))).toEqual([]);
  });

  test.each([
    // By key and value: how many queries must share a key, and how many are not enough.
    [192, 128, 8, 4],
    [192, 128, 16, 12],
    [320, 256, 32, 16],
    [512, 512, 2, 1],
    [576, 512, 2, 1],
  ])('with heads of %d and %d where %d queries share a key, not %d', (key, value, enough, tooFew) => {
    const shared = (each: number, more: Heads = {}): boolean => runs(key, { value, keys: 1, queries: each, ...more });
    expect([shared(enough), shared(tooFew)]).toEqual([true, false]);
    // Only with a mask, and on whole pieces of 256 cells.
    expect([shared(enough, { masks: 0 }), shared(enough, { cells: 255 }), shared(enough, { cells: 512 })]).toEqual([
      ...[false, false, true],
    ]);
    expect(shared(enough, { value: key === 512 ? 256 : key })).toBe(false);
  });

  test('on caches of some types, and with one mask for all heads', () => {
    const types = ['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'];
    expect(types.filter((type) => runs(128, { type }))).toEqual(types);
    expect([runs(128, { types: ['IQ4_NL', 'F16'] }), runs(128, { types: ['F16', 'IQ4_NL'] })]).toEqual([false, false]);
    expect(runs(128, { masks: 32 })).toBe(false);
  });
});

describe('one token', () => {
  const RESULT = 128 * 32 * 4;
  /** Of K or V: 128 × 256 × 32 halves. */
  const COPY = 128 * 256 * 32 * 2;
  const copies = (more: Heads): number => (flashAttentionBytes(ofHeads(128, more)) - RESULT) / COPY;

  test('reads pairs of the types that the vector kernel is compiled for as they are, and others as f16', () => {
    expect(['F16', 'Q4_0', 'Q8_0', 'BF16'].map((type) => copies({ type }))).toEqual([0, 0, 0, 0]);
    expect(['Q4_1', 'Q5_0', 'Q5_1', 'F32'].map((type) => copies({ type }))).toEqual([2, 2, 2, 2]);
    expect([copies({ types: ['Q8_0', 'F16'] }), copies({ types: ['Q8_0', 'Q4_0'] })]).toEqual([1, 2]);
  });

  test('reads f16 copies of what that kernel does not take: heads of other sizes, and pieces of less than 256 cells', () => {
    const size = (key: number, cells = 256) =>
      (flashAttentionBytes(ofHeads(key, { type: 'Q8_0', cells })) - key * 32 * 4) / (key * cells * 32 * 2);
    expect([size(64), size(128), size(256), size(96), size(128, 128)]).toEqual([0, 0, 0, 2, 2]);
  });
});
