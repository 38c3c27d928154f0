import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;
/** 48 layers, 8 of which see everything, and a window of 1024; 8 KV heads of 256, K and V in f16. */
const CHECKPOINT_BYTES = 40 * 1024 * 8 * (256 + 256) * 2;

const launch: LaunchOptions = { llamaCpp: 'v0.5.0', accelerator: 'cpu', ctxSize: 32768, parallel: 4, kvUnified: true };
const gemma = (): Promise<ModelShape> => bundledShape('gemma-3-12b', 'Q5_K_M');

async function grown(more: Partial<LaunchOptions>): Promise<Record<string, number>> {
  const { growth } = estimateMemory(await gemma(), { ...launch, ...more });
  return Object.fromEntries(growth.map(({ name, maxBytes }) => [name, maxBytes]));
}

test('slots that share a context keep two checkpoints each and one for each 8192 tokens of it', async () => {
  expect(await grown({})).toEqual({
    'prompt-cache': 8 * GIB,
    'context-checkpoints': (4 * 2 + 4) * CHECKPOINT_BYTES,
  });
});

test('slots with a context each keep one for each 8192 tokens of their own', async () => {
  // 32768 tokens for four slots are 8192 for each
  const { 'context-checkpoints': bytes } = await grown({ kvUnified: false });
  expect(bytes).toBe(4 * (2 + 1) * CHECKPOINT_BYTES);
});

test('no slot keeps more than --ctx-checkpoints', async () => {
  const { 'context-checkpoints': bytes } = await grown({ ctxCheckpoints: 1 });
  expect(bytes).toBe(4 * CHECKPOINT_BYTES);
});

test('a prompt cache is as large as --cache-ram says, without bound at -1, none at 0', async () => {
  expect((await grown({ cacheRamMiB: 256 }))['prompt-cache']).toBe(GIB / 4);
  expect((await grown({ cacheRamMiB: -1 }))['prompt-cache']).toBe(Infinity);
  expect(await grown({ cacheRamMiB: 0 })).not.toHaveProperty('prompt-cache');
});

test('a server of embeddings keeps no prompt and no checkpoint', async () => {
  expect(await grown({ mode: 'embedding' })).toEqual({});
});

test('a cache that forgets nothing needs no checkpoint', async () => {
  expect(await grown({ swaFull: true })).not.toHaveProperty('context-checkpoints');
});
