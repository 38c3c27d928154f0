import { expect, test } from '@jest/globals';
import { allocSize } from '../../../../../src/lib/estimate/ggml/metal/alloc-size.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
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
