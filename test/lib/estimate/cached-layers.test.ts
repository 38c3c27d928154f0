import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../oracle/cases.js';
import { type Profile, profileHeader, readProfile } from '../../support/models/profile.js';

const MIB = 2 ** 20;

function cachedBytes(profile: Profile): number {
  const launch = { accelerator: 'metal', ctxSize: 1024, parallel: 1, llamaCpp: 'v0.5.0' } as const;
  return estimateMemory(describeModel(profileHeader(profile)), launch)
    .parts.filter(({ name }) => name === 'kv-cache')
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

test('MiniMax M3 caches keys and values of a layer that predicts ahead, which it does not load', () => {
  const minimax = readProfile(join(PROFILES, 'minimax-m3-minimax-m3-428b.Q4_K_M.json'));
  const metadata = minimax.metadata.map((entry) =>
    entry[0] === 'minimax-m3.block_count' ? ([entry[0], 61, 'u32'] as const) : entry,
  );
  const profile = { ...minimax, metadata: [...metadata, ['minimax-m3.nextn_predict_layers', 1, 'u32']] } as Profile;
  // 1024 cells of 4 heads with 128 elements of two bytes, K and V, are 2 MiB in each of 61 layers;
  // the indexer has one head, K and V, from layer 3 on.
  expect(cachedBytes(profile)).toBe(61 * 2 * MIB + 58 * (MIB / 2));
});
