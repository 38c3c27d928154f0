import { expect, test } from '@jest/globals';
import { fitCondition, serverCondition, timed } from '../../../../src/lib/agent/core/memory-fit.js';

/** What the API takes of a condition's message. */
const LONGEST = 32_768;

test('a message is no longer than the API takes', () => {
  const long = 'x'.repeat(LONGEST + 1);
  expect(fitCondition({ reason: 'Fits', message: long, generation: 1 }).message).toHaveLength(LONGEST);
  expect(serverCondition(undefined, long).message).toHaveLength(LONGEST);
});

test('a condition keeps the time of its last transition for as long as its status stays', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');
  const condition = fitCondition({ reason: 'Tight', message: '', generation: 2 });
  const before = { type: 'MemoryFit', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
  expect(timed(condition, before, now).lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  expect(timed(condition, { ...before, status: 'False' }, now).lastTransitionTime).toBe('2026-01-02T03:04:05Z');
  expect(timed(condition, undefined, now).lastTransitionTime).toBe('2026-01-02T03:04:05Z');
});
