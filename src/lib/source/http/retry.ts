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

/** How long to wait after so many failures. */
export function backoffMs(failures: number, policy: RetryPolicy): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failures - 1));
  return ceiling * (0.5 + Math.random() / 2);
}

/** @throws SourceError when the signal is aborted meanwhile */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw cancelled(signal);
  }
}

/** What the work gives, unless the signal is aborted before; the work is then left behind. @throws SourceError */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Why a reading ends that a signal ended: what the signal says where that is the reading's own concern. */
export function cancelled(signal: AbortSignal | undefined): SourceError {
  if (signal?.reason instanceof SourceError) return signal.reason;
  return new SourceError('SOURCE_CANCELLED', 'stopped before the header was read');
}

/** `Retry-After` in milliseconds: seconds or a date; undefined when absent or senseless. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
