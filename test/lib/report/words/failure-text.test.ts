import { expect, test } from '@jest/globals';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import type { LimitCheck } from '../../../../src/lib/preflight/judge/verdict.js';
import { failureOf, failureText } from '../../../../src/lib/report/words/failure-text.js';

const GIB = 2 ** 30;

/** Refused where more is in use already than may be. */
const limit: LimitCheck = {
  name: 'memory',
  requiredBytes: 5 * GIB,
  budget: { kind: 'fraction', bytes: -GIB, totalBytes: 8 * GIB, fraction: 0.5, inUseBytes: 5 * GIB },
};
const check = {
  model: 'some-model',
  source: 'hf:owner/repo',
  suggestions: [],
  verdict: { kind: 'does-not-fit', limits: [limit], warnings: [] },
} as unknown as MemoryCheck;

test('a budget that others have used up is nothing, not less', () => {
  expect(failureText(check)).toMatch(/^ {2}Available budget: 0[GM]B \(8GB system × 0\.5 fraction − 5GB in use\)$/m);
  expect(failureOf(check)?.message).toMatch(/it needs ~?5GB, the budget is 0[GM]B /);
});
