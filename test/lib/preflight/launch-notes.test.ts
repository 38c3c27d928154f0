import { describe, expect, test } from '@jest/globals';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { launchNotes } from '../../../src/lib/preflight/launch-notes.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../support/models/bundled-shape.js';

const notes = async (launch: Partial<LaunchOptions>) => {
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

test('what llama-server makes of more context than it serves is said with it', async () => {
  expect(await notes({ ctxSize: 262_144, parallel: 1 })).toEqual([
    '262144 tokens are more than the 131072 that the model was trained with: llama-server takes the memory for all of them and serves no more than 131072',
  ]);
});

test('an ubatch above the batch is said to be lowered', async () => {
  expect(await notes({ ctxSize: 8192, batchSize: 512, ubatchSize: 2048 })).toEqual([
    'an ubatch of 2048 counts as 512, for it is never larger than the batch',
  ]);
});

test('flash attention that different cache types turn off is said', async () => {
  expect((await notes({ ctxSize: 8192, cacheTypeK: 'q8_0' })).join()).toContain('flash attention is off');
});

describe('how GPUs share a model is said to have no effect', () => {
  const TWO = { accelerator: 'cuda', gpus: 2 } as const;
  const ONE_ONLY = '--tensor-split has no effect with one GPU';

  test.each<[string, Partial<LaunchOptions>, readonly string[]]>([
    ['shares on a Mac', { tensorSplit: [1, 1] }, [ONE_ONLY]],
    [
      'shares on a Mac of which nobody uses the GPU',
      { tensorSplit: [3, 1], devices: [] },
      ['--tensor-split has no effect with no GPU'],
    ],
    ['shares of one card', { accelerator: 'cuda', gpus: 1, tensorSplit: [1, 1] }, [ONE_ONLY]],
    ['shares of one of two cards', { ...TWO, tensorSplit: [1, 1], splitMode: 'none' }, [ONE_ONLY]],
    [
      'more shares than cards',
      { ...TWO, tensorSplit: [1, 1, 2] },
      ['--tensor-split has 3 shares for 2 GPUs: the last ones have no effect'],
    ],
    ['a main GPU beside others', { ...TWO, mainGpu: 1 }, ['--main-gpu 1 has no effect without --split-mode none']],
    ['a second GPU of a Mac', { mainGpu: 1 }, ['--main-gpu 1 has no effect without --split-mode none']],
  ])('for %s', async (_name, launch, expected) => {
    expect(await notes({ ctxSize: 8192, ...launch })).toEqual(expected);
  });

  test.each<[string, Partial<LaunchOptions>]>([
    ['a share for each card', { ...TWO, tensorSplit: [1, 2] }],
    ['no share for any, which means nothing said', { ...TWO, tensorSplit: [0, 0] }],
    ['the one card to use', { ...TWO, splitMode: 'none', mainGpu: 1 }],
    ['cards that nobody has counted', { accelerator: 'cuda', tensorSplit: [1, 1] }],
  ])('but not for %s', async (_name, launch) => {
    expect(await notes({ ctxSize: 8192, ...launch })).toEqual([]);
  });
});
