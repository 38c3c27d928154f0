import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../source-error.js';

/** A failure that another attempt may not have. */
export class RetryableFailure extends Error {
  constructor(
    readonly error: SourceError,
    /** What the server asked to wait (`Retry-After`), in milliseconds. */
    readonly afterMs?: number,
  ) {
    super(error.message);
  }
}

export interface RetryPolicy {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A server that wants a longer pause is not waited for. */
  readonly maxRetryAfterMs: number;
}

/** Rides out a restart of a few seconds; nobody waits longer at a prompt without knowing why. */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 300,
  maxDelayMs: 5000,
  maxRetryAfterMs: 30_000,
};

/**
 * Runs `attempt` until it succeeds, fails for good, or failed as often as the policy allows; waits longer each time, by
 * chance up to twice as long, so that many clients do not come back at once.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableFailure)) throw error;
      const tooLong = (error.afterMs ?? 0) > policy.maxRetryAfterMs;
      if (failures >= policy.attempts || tooLong) throw error.error;
      await pause(error.afterMs ?? backoffMs(failures, policy), signal);
    }
  }
}

function backoffMs(failures: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failures - 1));
  return ceiling * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw cancelled();
  }
}

export function cancelled(): SourceError {
  return new SourceError('SOURCE_CANCELLED', 'stopped before the header was read');
}

/** `Retry-After` in milliseconds: seconds or a date; undefined when absent or senseless. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
