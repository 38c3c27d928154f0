import { describe, expect, test } from '@jest/globals';
import { scratchOf } from '../../../../../src/lib/estimate/ggml/cuda/scratch.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { ssmScan } from '../../../../../src/lib/estimate/ggml/ops/recurrent-ops.js';
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

  test.each(
    'Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ1_S IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ4_XS IQ4_NL MXFP4 NVFP4'.split(
      ' ',
    ),
  )('no more for %s, which `ggml_cuda_should_use_mmq` (`mmq.cu`) has a kernel for', (name) => {
    // 4096 x 512 x 36 / 32 = 2.25 MiB, 8.25 MiB of tiles, and 18 KiB
    const node = ggml.mulMat(tensor(typed(name), 4096, 2048), tensor(F32, 4096, TOKENS));
    expect([pages(node), loadsCublas(node)]).toEqual([12, false]);
  });

  test('rows of activations in pieces of 512', () => {
    // 200,000 x 513 and x 1024 wide rows have the same: 1024 x 4096 x 36 / 32 = 4.5 MiB, 8.25 MiB, 18 KiB
    const wide = (width: number): Tensor => ggml.mulMat(tensor(typed('Q8_0'), width, 64), tensor(F32, width, 4096));
    expect([pages(wide(512)), pages(wide(544)), pages(wide(1024))]).toEqual([12, 14, 14]);
  });

  test('nothing of up to 16 tokens, or of one row, where the matrix is f16 and the activations f32', () => {
    const node = (rows: number, tokens: number): Tensor =>
      ggml.mulMat(tensor(F16, 4096, rows), tensor(F32, 4096, tokens));
    // 2 x (4096 x 17 + 2048 x 17) = 0.2 MiB; 2 x (4096 x 512 + 2 x 512) = 4.002 MiB
    expect([pages(node(2048, 16)), pages(node(2048, 17)), pages(node(1, TOKENS)), pages(node(2, TOKENS))]).toEqual([
      0, 2, 0, 6,
    ]);
    expect([loadsCublas(node(2048, 16)), loadsCublas(node(2048, 17))]).toEqual([false, true]);
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
    for (const size of [64, 128, 256, 512]) {
      const rotated = ggml.mulMatHadamard(tensor(F32, size, 8, TOKENS), tensor(F32, size, size));
      expect(scratchOf(rotated.viewSrc ?? rotated, MULTIPROCESSORS)).toEqual({ pool: 0, library: 0 });
    }
    const rotates = (size: number): Tensor => {
      const rotated = ggml.mulMatHadamard(tensor(F32, size, 32, TOKENS), tensor(F32, size, size));
      return rotated.viewSrc ?? rotated;
    };
    expect([512, 1024].map((size) => loadsCublas(rotates(size)))).toEqual([false, true]);
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

  test('so, of more than 128 tokens; of more than 512 where an expert has at most 1024 rows (`ggml_cuda_should_use_mmf`)', () => {
    const loads = (rows: number, tokens: number): boolean =>
      loadsCublas(ggml.mulMatId(tensor(F16, 1024, rows, 32), tensor(F32, 1024, 1, tokens), tensor(I32, 8, tokens)));
    expect([loads(1025, 128), loads(1025, 129), loads(1024, 512), loads(1024, 513)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test('activations of the tokens, once, where these are eight at most', () => {
    // 1024 x 8 x 36 / 32 are 9 KiB; with nine tokens each is there as often as it has experts, beside 8.25 MiB of tiles
    expect([pages(experts(typed('Q8_0'), 8)), pages(experts(typed('Q8_0'), 9))]).toEqual([2, 10]);
  });

  test('all of an expert, of its tokens and of their results in f16, where cuBLAS multiplies what is quantized', () => {
    // 8 x 512 rows of 1024 and 2048 f32: 48 MiB; 2 x (1024 x 2048 + 1024 x 512 + 2048 x 512) = 7 MiB; indices
    const node = experts(typed('IQ1_M'), TOKENS);
    expect([pages(node), loadsCublas(node)]).toEqual([56, true]);
  });
});

describe('the scan of Mamba-2 on a CUDA card', () => {
  const scan = (tokens: number, { sequences = 1, decays = 1 } = {}): Tensor => {
    const [state, x] = [tensor(F32, 128, 64, 80, sequences), tensor(F32, 64, 80, tokens, sequences)];
    const shared = tensor(F32, 128, 8, tokens, sequences);
    const [dt, a] = [tensor(F32, 80, tokens, sequences), tensor(F32, decays, 80)];
    return ssmScan(state, x, dt, a, shared, shared, tensor(I32, sequences));
  };

  test('takes what a chunk of 256 tokens needs for each head, and works on whole matrices with cuBLAS', () => {
    // By head 256 x (64 x 2 + 128 x 2 + 128 x 4) + 256 x 256 x 2 bytes = 352 KiB, of 80: 27.5 MiB; 256 x 256 x 4 of 8 groups: 2 MiB;
    // two numbers for each of 512 tokens and heads: 0.31 MiB
    expect([pages(scan(TOKENS)), loadsCublas(scan(TOKENS))]).toEqual([30, true]);
  });

  test('takes that for each sequence that can have more than 128 of the tokens', () => {
    // Both of 256; of three with 128 each, two can have 192: 2 x 29.5 MiB, and 0.6
    expect([pages(scan(256, { sequences: 2 })), pages(scan(128, { sequences: 3 }))]).toEqual([60, 60]);
  });

  test('takes nothing for up to 128 tokens, nor with decays of Mamba-1', () => {
    expect([pages(scan(128)), pages(scan(129)), pages(scan(TOKENS, { decays: 128 }))]).toEqual([0, 30, 0]);
  });
});

test('choosing the best of long rows takes the rows six times, in chunks of 64 MiB', () => {
  const rows = (count: number): Tensor => topK(tensor(F32, 16384, count), 2048);
  expect([pages(rows(512)), pages(rows(4096)), pages(topK(tensor(F32, 1024, 512), 8))]).toEqual([192, 384, 0]);
  // Whole rows: one of 40 MB, six times, and of a row of 80 MB the row.
  const long = (width: number): number => pages(topK(tensor(F32, width, 4), 8));
  expect([long(1e7), long(2e7)]).toEqual([230, 458]);
});
