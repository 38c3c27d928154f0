import { describe, expect, test } from '@jest/globals';
import { scratchOf } from '../../../../../src/lib/estimate/ggml/cuda/scratch.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { topK } from '../../../../../src/lib/estimate/ggml/ops/sparse-ops.js';
import { F16, F32, I32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName } from '../../../../../src/lib/gguf/ggml-types.js';

const MIB = 2 ** 20;
/** Of an H100. */
const MULTIPROCESSORS = 132;
const TOKENS = 512;

const pages = (node: Tensor): number => scratchOf(node, MULTIPROCESSORS).pool / MIB;
const typed = (name: string): typeof F32 => ggmlTypeByName(name) ?? F32;
const tensor = (type: typeof F32, ...ne: readonly [number, number?, number?, number?]): Tensor =>
  ggml.newTensor(type, ...ne);
const loadsCublas = (node: Tensor): boolean => scratchOf(node, MULTIPROCESSORS).library === 98 * MIB;

describe('a product of a quantized matrix on a CUDA card takes of the pool', () => {
  test('its activations as q8_1 and a tile of 64 KiB for each multiprocessor, as an H100 was seen to', () => {
    // TinyLlama's 5632 wide layer: 5632 x 512 x 36 / 32 = 3.09 MiB, 132 x 64 KiB = 8.25 MiB, and 18 KiB.
    const node = ggml.mulMat(tensor(typed('Q4_K'), 5632, 2048), tensor(F32, 5632, TOKENS));
    expect([pages(node), loadsCublas(node)]).toEqual([12, false]);
  });

  test('only the activations of up to eight tokens', () => {
    const node = (tokens: number): Tensor => ggml.mulMat(tensor(typed('Q4_K'), 5632, 2048), tensor(F32, 5632, tokens));
    expect([pages(node(8)), pages(node(9))]).toEqual([2, 10]);
  });

  test('the whole matrix in f16 for a type that only cuBLAS can multiply by', () => {
    // 2 x (5632 x 2048 + 5632 x 512 + 2048 x 512) = 29.5 MiB
    const node = ggml.mulMat(tensor(typed('IQ1_M'), 5632, 2048), tensor(F32, 5632, TOKENS));
    expect([pages(node), loadsCublas(node)]).toEqual([30, true]);
  });
});

describe('attention on a CUDA card takes of the pool', () => {
  test('without flash attention the whole of what is computed in f16: 40 heads of 512 tokens over 32768 cells are 1.25 GiB', () => {
    const weights = tensor(F32, 32768, TOKENS, 40);
    const node = ggml.mulMat(tensor(F16, 32768, 128, 8), weights);
    // 2 x (32768 + 128) x 512 x 40 = 1285 MiB, and pointers
    expect([pages(node), loadsCublas(node)]).toEqual([1286, true]);
  });

  test('the keys in f32, as which they are multiplied', () => {
    const node = ggml.mulMat(tensor(F16, 128, 32768, 8), tensor(F32, 128, TOKENS, 40));
    node.variant = 'f32';
    expect(pages(node)).toBe(128 + 2);
  });

  test.each([
    // 132 x 128 x (2 + 64 / 2) x 8 = 4.4 MiB, and so on
    [64, 6],
    [128, 10],
    [256, 18],
    [512, 18],
  ])('with flash attention what blocks of queries leave for each other: heads of %i', (size, expected) => {
    const cache = tensor(F16, size, 4096, 8);
    const node = ggml.flashAttnExt(tensor(F32, size, TOKENS, 32), cache, cache, tensor(F16, 4096, TOKENS), null);
    expect(pages(node)).toBe(expected);
  });

  test('nothing to rotate keys before they are quantized', () => {
    const rotated = ggml.mulMatHadamard(tensor(F32, 128, 8, TOKENS), tensor(F32, 128, 128));
    expect(scratchOf(rotated.viewSrc ?? rotated, MULTIPROCESSORS)).toEqual({ pool: 0, library: 0 });
  });
});

describe('experts on a CUDA card take of the pool', () => {
  const experts = (type: typeof F32, tokens: number): Tensor =>
    ggml.mulMatId(tensor(type, 1024, 2048, 32), tensor(F32, 1024, 1, tokens), tensor(I32, 8, tokens));

  test('each token as often as it has experts, if they are quantized', () => {
    // 1024 x 8 x 2048 x 36 / 32 = 18 MiB, 8.25 MiB of tiles, 128 KiB of indices
    expect(pages(experts(typed('Q8_0'), 2048))).toBe(28);
  });

  test('what is sorted by expert, if they are f16 and the tokens many', () => {
    // 8 x 512 rows of 1024 f16 and 2048 f32: 8 + 32 MiB, and 2048 x 512 f16 of one expert: 2 MiB; indices
    const node = experts(F16, TOKENS);
    expect([pages(node), loadsCublas(node)]).toEqual([44, true]);
    expect(loadsCublas(experts(F16, 128))).toBe(false);
  });
});

test('choosing the best of long rows takes the rows six times, in chunks of 64 MiB', () => {
  const rows = (count: number): Tensor => topK(tensor(F32, 16384, count), 2048);
  expect([pages(rows(512)), pages(rows(4096)), pages(topK(tensor(F32, 1024, 512), 8))]).toEqual([192, 384, 0]);
});
