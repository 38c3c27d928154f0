import { describe, expect, test } from '@jest/globals';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';

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
