import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isoTime } from '../../../../src/lib/guard/ledger/iso-time.js';

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [951_782_399_999, '2000-02-28T23:59:59.999Z'],
  [951_782_400_000, '2000-02-29T00:00:00.000Z'],
  [1_709_251_199_001, '2024-02-29T23:59:59.001Z'],
  [1_735_689_599_000, '2024-12-31T23:59:59.000Z'],
  [1_795_651_445_067, '2026-11-26T00:04:05.067Z'],
  [4_107_542_400_000, '2100-03-01T00:00:00.000Z'],
])('%d ms after 1970 are %s', (ms, text) => {
  expect(isoTime(ms)).toBe(text);
});

test('a time is written as Date writes it, up to the year 9999', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
      (ms) => isoTime(ms) === new Date(ms).toISOString(),
    ),
  );
});
