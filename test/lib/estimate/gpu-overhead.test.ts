import { expect, test } from '@jest/globals';
import { driverContextBytes, gpuOverheadBytes, multiprocessorsOf } from '../../../src/lib/estimate/gpu-overhead.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const card = (gib: number) => ({ totalBytes: gib * GIB, freeBytes: gib * GIB });

test.each([
  // context by multiprocessors (3.2 MiB each, 3.969 of an H100), and 84 MiB of kernels and pages
  [4, 20, 64],
  [6, 30, 96],
  [8, 48, 154],
  [10, 68, 218],
  [11, 68, 218],
  [12, 80, 256],
  [16, 84, 269],
  [24, 128, 410],
  [32, 170, 544],
  [48, 142, 455],
  [79.6, 132, 524],
  [80, 132, 524],
  [95.6, 188, 602],
  [141, 160, 636],
])('a CUDA card with %d GiB is taken for one of %d multiprocessors, its context for %d MiB', (gib, count, mib) => {
  expect(multiprocessorsOf(card(gib))).toBe(count);
  expect(driverContextBytes('cuda', card(gib)) / MIB).toBe(mib);
  expect(gpuOverheadBytes('cuda', card(gib)) / MIB).toBe(mib + 84);
  // As ROCm's, which is compiled from the same source.
  expect([driverContextBytes('rocm', card(gib)), gpuOverheadBytes('rocm', card(gib))]).toEqual([
    driverContextBytes('cuda', card(gib)),
    gpuOverheadBytes('cuda', card(gib)),
  ]);
});

test('a card of unknown size is one of 24 GiB', () => {
  expect(gpuOverheadBytes('cuda', undefined)).toBe(gpuOverheadBytes('cuda', card(24)));
});

test.each([
  [24, 350],
  [36, 350],
  [36.5, 700],
])(
  'of other backends a card with %d GiB holds %d MiB beside the buffers, and it is not known what comes first',
  (gib, mib) => {
    expect(gpuOverheadBytes('vulkan', card(gib)) / MIB).toBe(mib);
    expect(driverContextBytes('vulkan', card(gib))).toBe(0);
  },
);
