import { expect, test } from '@jest/globals';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { changedLaunch } from '../../../../src/lib/preflight/advice/advice.js';
import { Trials } from '../../../../src/lib/preflight/advice/trials.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;

test('where all that can be done leaves less context than was asked for, no fewer layers on the GPU would leave more', async () => {
  const shape = await bundledShape('llama-3.3-70b', 'Q4_K_M');
  const gpus = [{ index: 0, name: '', totalBytes: 12 * GIB, usedBytes: 0 }];
  const host: HostMemory = {
    source: 'given',
    totalBytes: 64 * GIB,
    inUseBytes: 2 * GIB,
    gpus,
    notes: [],
  };
  const room = { host, policy: {} };
  const launch: LaunchOptions = { accelerator: 'cuda', ctxSize: 131072, llamaCpp: 'v0.5.0' };
  const found = advise({ shape, launch, room, variants: [] }).find(({ changes }) =>
    changes.some(({ kind }) => kind === 'context'),
  );
  const { ctxSize = 0, ...least } = changedLaunch(launch, found?.changes ?? []);
  const trials = new Trials(room);
  expect(ctxSize).toBeGreaterThanOrEqual(2048);
  for (const gpuLayers of [0, 5, 10, 15, 20, 25]) {
    expect(trials.fitting(shape, { ...least, gpuLayers, ctxSize: ctxSize + 512 })).toBeUndefined();
  }
});
