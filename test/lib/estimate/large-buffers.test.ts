import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { BlockAllocator } from '../../../src/lib/estimate/ggml/allocation/allocator.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const shape = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));

// As llama.cpp v0.5.0 allocates them, of which no buffer is longer than the 36 GiB that Metal gives at once. Scores of
// 8192 × 131072 for 32 heads are 128 GiB alone; where two lie side by side each has chunks of its own, none of which is shared.
test.each([
  [8192, 279_709_843_488, 4_630_642_720],
  [2048, 35_517_390_880, 1_157_660_704],
])(
  'compute buffers of batches of %i tokens without flash attention are cut where Metal cuts them',
  (batch, gpu, host) => {
    const { parts } = estimateMemory(shape, {
      llamaCpp: 'v0.5.0',
      accelerator: 'metal',
      ctxSize: 131072,
      parallel: 1,
      batchSize: 8192,
      ubatchSize: batch,
      flashAttn: 'off',
    });
    const compute = parts.filter(({ name }) => name === 'compute').map(({ device, bytes }) => [device, bytes]);
    expect(Object.fromEntries(compute)).toEqual({ gpu, host });
  },
);

// `GGML_VBUFFER_MAX_CHUNKS`
test('there are at most 16 chunks, and the last has room for all the rest', () => {
  const allocator = new BlockAllocator(100);
  for (let block = 0; block < 20; block++) allocator.alloc(100);
  expect(allocator.describe().split('|')).toHaveLength(16);
  expect(allocator.maxSize).toBe(2000);
});
