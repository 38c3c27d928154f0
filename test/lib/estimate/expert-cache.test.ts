import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../support/models/bundled-shape.js';

const LAUNCH: LaunchOptions = {
  ...{ accelerator: 'cuda', llamaCpp: 'v0.8.0', ctxSize: 8192, parallel: 1 },
  ...{ cpuMoeLayers: Infinity, repack: false, noHost: true },
};

test('experts that a GPU keeps are read by at most 32 tokens at a time: more read those of the host', async () => {
  const shape = await bundledShape('qwen-3-30b-a3b', 'Q4_K_M');
  const onGpu = (ubatchSize: number, expertCacheMiB: number): number =>
    estimateMemory(shape, { ...LAUNCH, ubatchSize, expertCacheMiB })
      .parts.filter(({ name, device }) => name === 'compute' && device === 'gpu')
      .reduce((sum, { bytes }) => sum + bytes, 0);
  // From 32 tokens on a GPU brings whole matrices of experts over: 128 of 768 rows of 2048 weights in Q4_K, 144 bytes for 256 each.
  const matrix = (128 * 768 * 2048 * 144) / 256;
  expect(onGpu(32, 0)).toBeGreaterThan(matrix);
  expect(onGpu(32, 2048)).toBeLessThan(matrix);
  expect(onGpu(33, 2048)).toBe(onGpu(33, 0));
});
