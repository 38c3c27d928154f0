import { expect, test } from '@jest/globals';
import { gpuOverheadBytes } from '../../../src/lib/estimate/gpu-overhead.js';

const GIB = 2 ** 30;

test.each([
  [8, 350],
  [32, 350],
  [36, 350],
  [40, 700],
  [80, 700],
])('a card with %d GiB holds %d MiB beside the buffers', (gib, mib) => {
  expect(gpuOverheadBytes({ totalBytes: gib * GIB, freeBytes: 0 })).toBe(mib * 2 ** 20);
});

test('a card of unknown size is one for consumers', () => {
  expect(gpuOverheadBytes(undefined)).toBe(350 * 2 ** 20);
});
