import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const ELEMENTS = 10_752 * 262_144;

/** What of Gemma 4 E4B is mapped although its other weights are read. */
function mappedBytes(name: string): number {
  const shape = describeModel(profileHeader(readProfile(join(PROFILES, `${name}.json`))));
  const { parts } = estimateMemory(shape, {
    ...{ llamaCpp: 'v0.5.0', accelerator: 'cuda', cpuArch: 'x86', ctxSize: 8192, mmap: false },
  });
  return parts.filter((part) => part.name === 'weights').reduce((sum, { bytes }) => sum + bytes, 0);
}

test('a table of rows that few tokens need is mapped whatever --no-mmap says, from 4 GiB on', () => {
  // 5.3 GiB in BF16, 2.8 GiB in Q8_0: 34 bytes for 32 weights.
  expect(mappedBytes('gemma4-gemma-4-e4b.BF16')).toBe(ELEMENTS * 2);
  expect(mappedBytes('gemma4-gemma-4-e4b.Q8_0')).toBe(0);
});
