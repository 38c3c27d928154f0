import { expect, test } from '@jest/globals';
import {
  backoffMs,
  DEFAULT_RETRY,
  RetryableFailure,
  retryAfterMs,
  withRetries,
} from '../../../../src/lib/source/http/retry.js';
import { SourceError } from '../../../../src/lib/source/source-error.js';

test('the pause after each failure doubles from 300 ms to 5 s, and is by chance as short as half of that', () => {
  for (const [index, ceiling] of [300, 600, 1200, 2400, 4800, 5000, 5000].entries()) {
    const pauses = Array.from({ length: 200 }, () => backoffMs(index + 1, DEFAULT_RETRY));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(ceiling / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(ceiling);
    expect(Math.max(...pauses)).toBeGreaterThan(ceiling * 0.75);
  }
});

test('a server names the pause in seconds, or by the time at which it is over', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const read = (text: string | undefined): number | undefined => retryAfterMs(text, now);
  expect(['7', ' 12 ', '0', 'Fri, 02 Jan 2026 03:04:35 GMT', 'Fri, 02 Jan 2026 03:04:00 GMT'].map(read)).toEqual([
    ...[7000, 12_000, 0, 30_000, 0],
  ]);
  expect(['soon', '', undefined].map(read)).toEqual([undefined, undefined, undefined]);
});

/** How often it is tried, and how it ends. */
async function tried(failure: Error, successAt: number): Promise<readonly [attempts: number, end: string]> {
  let attempts = 0;
  const policy = { attempts: 3, firstDelayMs: 0, maxDelayMs: 0, maxRetryAfterMs: 10 };
  const attempt = async (): Promise<string> => {
    attempts += 1;
    if (attempts < successAt) throw failure;
    return 'done';
  };
  const end = await withRetries(attempt, policy, undefined).catch((error: unknown) => (error as Error).message);
  return [attempts, end];
}

test('what may pass is tried as often as the policy allows; what will not, or asks for too long a pause, once', async () => {
  const error = new SourceError('SOURCE_HTTP_STATUS', 'busy');
  expect(await tried(new RetryableFailure(error), 3)).toEqual([3, 'done']);
  expect(await tried(new RetryableFailure(error), 4)).toEqual([3, 'busy']);
  expect(await tried(error, 2)).toEqual([1, 'busy']);
  expect(await tried(new RetryableFailure(error, 10), 2)).toEqual([2, 'done']);
  expect(await tried(new RetryableFailure(error, 11), 2)).toEqual([1, 'busy']);
});
