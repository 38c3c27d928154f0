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

  const served = { draft: 'hf:o/r/d.gguf', specTypes: ['draft-simple'] };
  const open = { accelerator: 'metal' };

  test.each([
    ['nothing is said', {}, '', { ...open, ...served }],
    ['--spec-type none', { specTypes: ['none'] }, '', { ...open, specTypes: ['none'] }],
    ['the same among the extra args', {}, '--spec-type none', { ...open, specTypes: ['none'] }],
    ['n-grams', {}, '--spec-type ngram-mod', { ...open, specTypes: ['ngram-mod'] }],
    ['another way to use it', { specTypes: ['draft-mtp'] }, '', { ...open, ...served, specTypes: ['draft-mtp'] }],
    ['another draft, which may draft otherwise', { draft: './e.gguf' }, '', { ...open, draft: './e.gguf' }],
    ['another draft among the extra args', {}, '-md e.gguf', { ...open, draft: 'e.gguf' }],
  ])('with a draft of the catalogue’s, where %s', (_case, flags, extra, launch) => {
    expect(combine({ defaults: served, flags, extraArgs: [extra] }).launch).toEqual(launch);
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
  ])(
    'on %s refuses %s of another backend, whatever it is for, by the name of its option',
    (accelerator, devices, own) => {
      for (const option of ['--device', '--spec-draft-device', '--mmproj-device']) {
        const [named = ''] = option === '--mmproj-device' ? devices.split(',').slice(-1) : [devices];
        expect(() => combine({ accelerator, extraArgs: [`${option} ${named}`] })).toThrow(
          new RegExp(`^${option} \\w+ is no device of --accelerator ${accelerator}, which calls them ${own}`),
        );
      }
    },
  );

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
