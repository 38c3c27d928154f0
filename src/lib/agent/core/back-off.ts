const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
/** What ran for this long has not failed at its start: the next failure is a first one again. */
export const SETTLED_MS = 600_000;

/** Failures of one service in a row, and when it is tried again, by a clock that nobody sets: `performance.now()`. */
export interface Failures {
  readonly count: number;
  readonly retryAtMs: number;
}

/** Of a service that nothing but the end of the memory pressure brings back. */
export const EVICTED: Failures = { count: 0, retryAtMs: Infinity };

/** 10 s, doubled with every further failure, at most 5 min. */
export function failedAgain(before: Failures | undefined, nowMs: number): Failures {
  const count = (before?.count ?? 0) + 1;
  return { count, retryAtMs: nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** (count - 1)) };
}
