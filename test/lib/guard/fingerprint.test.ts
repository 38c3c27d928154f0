import { expect, test } from '@jest/globals';
import { fingerprint } from '../../../src/lib/guard/fingerprint.js';
import { isoTime } from '../../../src/lib/guard/ledger/iso-time.js';

test('a command line has 32 digits that every other one, a letter or a nought longer, does not have', () => {
  const texts = [
    '',
    '\0',
    '\0\0',
    'a',
    'b',
    'a'.repeat(16),
    'a'.repeat(17),
    '["llama-server","-c","8192"]',
    '["llama-server","-c","8193"]',
    'ä',
  ];
  const seen = new Set(texts.map(fingerprint));
  expect(seen.size).toBe(texts.length);
  for (const one of seen) expect(one).toMatch(/^[0-9a-f]{32}$/);
  const many = new Set(Array.from({ length: 20_000 }, (_, index) => fingerprint(`--port ${index}`)));
  expect(many.size).toBe(20_000);
});

test.each([
  0, 951_782_399_999, 951_782_400_000, 1_709_164_800_000, 1_780_000_000_123, 4_102_444_799_999, 4_107_542_400_000,
])('the time %d is written as Date writes it, leap days and all', (ms) =>
  expect(isoTime(ms)).toBe(new Date(ms).toISOString()),
);
