import { beforeAll, describe, expect, test } from '@jest/globals';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { judgeLaunch } from '../../../../src/lib/preflight/judge/judge-launch.js';
import { largestOf } from '../../../../src/lib/preflight/surveys/largest-of.js';
import { AUTO_GPU_LAYERS, type LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;
const ASKED: LaunchOptions = { accelerator: 'cuda', ctxSize: 8192, gpuLayers: AUTO_GPU_LAYERS };
let shape: ModelShape;
beforeAll(async () => {
  shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
});

function roomWith(hostGib: number) {
  const gpus = [{ index: 0, name: 'GPU', totalBytes: 24 * GIB, usedBytes: 0 }];
  const host: HostMemory = { source: 'given', totalBytes: hostGib * GIB, inUseBytes: 3 * GIB, gpus, notes: [] };
  return { host, policy: {}, beside: {} };
}

function largestIn(hostGib: number, asked: LaunchOptions): number | undefined {
  const room = roomWith(hostGib);
  const { launch, verdict } = judgeLaunch({ model: shape }, asked, room);
  return largestOf({ shape, launch, asked, room, verdict });
}

function kindAt(hostGib: number, ctxSize: number): string {
  return judgeLaunch({ model: shape }, { ...ASKED, ctxSize }, roomWith(hostGib)).verdict.kind;
}

// 18 GB of weights and 8 GB of cache are more than the GPU of 24 GB holds at the trained context.
describe('the largest context of a model whose layers are left to llama-server', () => {
  test('is as much as fits with fewer layers on the GPU than the context asked for has', () => {
    expect(largestIn(64, ASKED)).toBe(32768);
    expect(kindAt(64, 32768)).not.toBe('does-not-fit');
  });

  test('ends where the host does not hold what the GPU gives up', () => {
    const largest = largestIn(7, ASKED) ?? NaN;
    expect(largest).toBeGreaterThan(8192);
    expect(kindAt(7, largest)).not.toBe('does-not-fit');
    expect(kindAt(7, largest + 256)).toBe('does-not-fit');
  });

  test('is with the layers that are named, where they are', () => {
    const largest = largestIn(64, { ...ASKED, gpuLayers: 65 }) ?? NaN;
    expect(largest).toBeLessThan(32768);
    expect(largestIn(64, { ...ASKED, fit: false })).toBe(largest);
  });
});
