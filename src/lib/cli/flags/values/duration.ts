import { table } from '../../../table.js';
import { UsageError } from '../../../errors.js';

const UNIT_MS = table<number>({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 });
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/**
 * Milliseconds of a duration as Go and kubectl write it: `90s`, `10m`, `1h30m`.
 * @param what names the value in the error, such as `--timeout`
 * @throws UsageError INVALID_DURATION, also for nothing at all
 */
export function parseDuration(text: string, what: string): number {
  const parts = DURATION.test(text) ? [...text.matchAll(PART)] : [];
  const ms = parts.reduce((sum, [, value, unit]) => sum + Number(value) * (UNIT_MS[unit ?? ''] ?? 0), 0);
  if (ms > 0) return ms;
  throw new UsageError('INVALID_DURATION', `${what} "${text}" is not a duration`, {
    suggestions: ['write it like 90s, 10m or 1h30m'],
  });
}
