import { describe, expect, test } from '@jest/globals';
import { allocSize } from '../../../../../src/lib/estimate/ggml/metal/alloc-size.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName, type GgmlType } from '../../../../../src/lib/gguf/ggml-types.js';
import { llamaCpp } from '../../../../../src/lib/runtime/llama-cpp.js';

const CELLS = 512;
const HEAD = 64;

test.each([
  // 64 positions of the mask's rows in F16, and a byte for each block of the mask, in steps of 32 bytes.
  [19, 64 * 2 * 19 + 320], // one query and 32 positions each: 19 × 16 = 304
  [20, 64 * 2 * 20 + 32], // eight queries and 64 positions each: 3 × 8 = 24
])('flash attention of %d queries on Metal takes %d bytes for its mask', (queries, bytes) => {
  const [k, v] = [1, 2].map(() => ggml.newInput(F16, HEAD, CELLS)) as [Tensor, Tensor];
  const sized = (mask: Tensor | null): number =>
    allocSize(ggml.flashAttnExt(ggml.newInput(F32, HEAD, queries), k, v, mask, null), llamaCpp('v0.5.0').switches);
  expect(sized(ggml.newInput(F16, CELLS, queries)) - sized(null)).toBe(bytes);
});

describe('flash attention on Metal takes for the few cells that are left open to each token', () => {
  const QUERIES = 19;
  /** Beside what it takes where none is left out. */
  const more = (cellsLeft: number, [key, value] = [128, 128] as const, type: GgmlType = F16): number => {
    const [k, v] = [ggml.newInput(type, key, 8192), ggml.newInput(type, value, 8192)];
    const mask = ggml.newInput(F16, 8192, QUERIES);
    const sized = (left: number): number => {
      const node = ggml.flashAttnExt(ggml.newInput(F32, key, QUERIES), k, v, mask, null);
      return allocSize(Object.assign(node, { cellsLeft: left }), llamaCpp('v0.5.0').switches);
    };
    return sized(cellsLeft) - sized(0);
  };

  test('their numbers, in steps of 32, up to 4096 of them', () => {
    expect([more(1000), more(1024), more(4096)]).toEqual([1024, 1024, 4096].map((cells) => 4 * cells * QUERIES));
    expect(more(4097)).toBe(0);
  });

  test('where there is a kernel for heads of these sizes, and for the type of the cache', () => {
    const heads = '32x32 64x64 96x96 96x64 128x128 192x128 192x192 256x256 320x256 512x512 576x512'.split(' ');
    const ofHeads = (text: string): number => more(32, text.split('x').map(Number) as never);
    expect(heads.filter((text) => ofHeads(text) === 4 * 32 * QUERIES)).toEqual(heads);
    expect(['40x40', '80x80', '128x64', '256x128', '576x576'].filter((text) => ofHeads(text) > 0)).toEqual([]);
    const types = ['F16', 'BF16', 'F32', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'IQ4_NL'];
    const withKernel = types.filter((name) => more(32, [128, 128], ggmlTypeByName(name) as GgmlType) > 0);
    expect(withKernel).toEqual(types.slice(0, -1));
  });
});
