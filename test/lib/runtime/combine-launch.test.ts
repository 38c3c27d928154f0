import { describe, expect, test } from '@jest/globals';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';
import type { Accelerator } from '../../../src/lib/runtime/launch-options.js';

const combine = (more: Partial<Parameters<typeof combineLaunch>[0]>) =>
  combineLaunch({ accelerator: 'metal', defaults: {}, flags: {}, extraArgs: [], ...more });

describe('a launch', () => {
  test('takes flags over the catalogue, and extra args over both', () => {
    const defaults = { ctxSize: 8192, gpuLayers: 26 };
    const flags = { ctxSize: 4096, parallel: 2 };
    expect(combine({ defaults, flags, extraArgs: ['-c 1024'] }).launch).toEqual({
      accelerator: 'metal',
      ctxSize: 1024,
      gpuLayers: 26,
      parallel: 2,
    });
  });

  test('has the words of the extra args in order, for whoever starts the server', () => {
    expect(combine({ extraArgs: ['--threads 8', '-fa on'] }).extraWords).toEqual(['--threads', '8', '-fa', 'on']);
  });

  test('names devices as its backend calls them, in whatever case', () => {
    const { launch } = combine({ accelerator: 'cuda', extraArgs: ['--device CUDA1,cuda0'] });
    expect(launch).toEqual({ accelerator: 'cuda', devices: [1, 0] });
  });

  test.each<[Accelerator, string, string]>([
    ['cuda', 'Vulkan0', 'CUDA0, CUDA1'],
    ['metal', 'CUDA0', 'MTL0, MTL1'],
    ['rocm', 'ROCm0,CUDA1', 'ROCm0, ROCm1'],
  ])('on %s refuses --device %s of another backend', (accelerator, devices, own) => {
    expect(() => combine({ accelerator, extraArgs: [`--device ${devices}`] })).toThrow(
      `is no device of --accelerator ${accelerator}, which calls them ${own}`,
    );
  });

  test('with -np -1 has automatic slots again', () => {
    expect(combine({ flags: { parallel: 2 }, extraArgs: ['-np -1'] }).launch).toEqual({ accelerator: 'metal' });
  });

  test('sized by slot has that context times the slots', () => {
    expect(combine({ extraArgs: ['--kv-unified-per-slot 2048'] }).launch.ctxSize).toBe(8192);
    expect(combine({ extraArgs: ['--kv-unified-per-slot 2048 -np 3'] }).launch.ctxSize).toBe(6144);
  });

  test('sized by slot gives way to a named context', () => {
    expect(combine({ flags: { ctxSize: 512 }, extraArgs: ['--kv-unified-per-slot 2048'] }).launch.ctxSize).toBe(512);
  });
});
