import { expect, test } from '@jest/globals';
import type { GrowthPart } from '../../../../src/lib/estimate/memory-estimate.js';
import { promptCacheMiB, tightness } from '../../../../src/lib/preflight/judge/tightness.js';
import type { LimitCheck } from '../../../../src/lib/preflight/judge/verdict.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function limit(name: 'memory' | 'gpu', requiredBytes: number, bytes: number): LimitCheck {
  return { name, requiredBytes, budget: { kind: 'absolute', bytes } };
}
const grows = (name: GrowthPart['name'], maxBytes: number, device: 'host' | 'gpu' = 'host'): GrowthPart => ({
  name,
  of: 'model',
  device,
  maxBytes,
});

test('less than a twentieth of the budget is too little room', () => {
  const kinds = (roomBytes: number) =>
    tightness([limit('memory', 20 * GIB - roomBytes, 20 * GIB)], []).map(({ reason }) => reason);
  expect(kinds(GIB)).toEqual([]);
  expect(kinds(GIB - 1)).toEqual(['headroom']);
});

test('the prompt cache is offered what the checkpoints leave, in steps of 256 MiB', () => {
  const growth = [grows('prompt-cache', 8 * GIB), grows('context-checkpoints', 200 * MIB)];
  // 1000 − 200 = 800 = 3 × 256 + 32
  expect(promptCacheMiB([limit('memory', 19 * GIB, 19 * GIB + 1000 * MIB)], growth)).toBe(768);
  expect(promptCacheMiB([limit('memory', 19 * GIB, 19 * GIB + 199 * MIB)], growth)).toBeUndefined();
});

test('what grows on the host does not count against a GPU with memory of its own, nor the other way round', () => {
  const hostOnly = { ...limit('memory', 10 * GIB, 20 * GIB), hostOnly: true } as const;
  const gpu = limit('gpu', 10 * GIB, 12 * GIB);
  expect(tightness([hostOnly, gpu], [grows('prompt-cache', 8 * GIB)])).toEqual([]);
  const [cause] = tightness([hostOnly, gpu], [grows('compute', 3 * GIB, 'gpu')]);
  expect(cause).toMatchObject({ reason: 'growth', overBytes: GIB });
});

test('a smaller prompt cache is not said to be enough where something on a GPU grows beyond it', () => {
  const hostOnly = { ...limit('memory', 10 * GIB, 14 * GIB), hostOnly: true } as const;
  const growth = [grows('prompt-cache', 8 * GIB), grows('compute', 3 * GIB, 'gpu')];
  expect(tightness([hostOnly, limit('gpu', 10 * GIB, 14 * GIB)], growth)[0]).toMatchObject({ cacheRamMiB: 4096 });
  const beyond = tightness([hostOnly, limit('gpu', 10 * GIB, 12 * GIB)], growth)[0];
  expect(beyond).toMatchObject({ reason: 'growth', cacheRamMiB: undefined });
});

test('no limit of the prompt cache is offered where there is none that grows', () => {
  const growth = [grows('context-checkpoints', 200 * MIB)];
  expect(promptCacheMiB([limit('memory', 10 * GIB, 19 * GIB)], growth)).toBeUndefined();
});
