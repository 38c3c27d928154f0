import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { launchNotes } from '../../../src/lib/preflight/launch-notes.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../support/models/bundled-shape.js';

const notes = async (launch: Omit<LaunchOptions, 'accelerator'>) => {
  const shape = await bundledShape('llama-3.2-3b', 'Q5_K_M');
  const asked: LaunchOptions = { accelerator: 'metal', ...launch };
  return launchNotes(shape, asked, estimateMemory(shape, asked).resolved);
};

test('a launch that llama-server takes as it is has no notes', async () => {
  expect(await notes({ ctxSize: 8192, batchSize: 1024, ubatchSize: 1024 })).toEqual([]);
});

test('more context than the model was trained with is said, in each slot', async () => {
  expect(await notes({ ctxSize: 999_936 })).toEqual([expect.stringContaining('999936 tokens are more than the')]);
  expect(await notes({ ctxSize: 999_936, parallel: 2 })).toEqual([expect.stringContaining('in each slot')]);
});

test('an ubatch above the batch is said to be lowered', async () => {
  expect(await notes({ ctxSize: 8192, batchSize: 512, ubatchSize: 2048 })).toEqual([
    'an ubatch of 2048 counts as 512, for it is never larger than the batch',
  ]);
});

test('flash attention that different cache types turn off is said', async () => {
  expect((await notes({ ctxSize: 8192, cacheTypeK: 'q8_0' })).join()).toContain('flash attention is off');
});
