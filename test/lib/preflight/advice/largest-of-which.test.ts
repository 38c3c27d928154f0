import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { largestOfWhich } from '../../../../src/lib/preflight/advice/largest-fitting.js';

const upTo = (most: number) => (at: number) => at <= most;

test('what is likely changes how often is asked, and not what is found', () => {
  const number = fc.integer({ min: -5, max: 70 });
  fc.assert(
    fc.property(number, number, (most, likely) => {
      expect(largestOfWhich(upTo(most), 0, 64, upTo(likely))).toBe(largestOfWhich(upTo(most), 0, 64));
    }),
  );
});

test('where what is likely is true, only that and the next are asked for', () => {
  const asked: number[] = [];
  const holds = (at: number): boolean => asked.push(at) > 0 && at <= 23;
  expect(largestOfWhich(holds, 0, 512, upTo(23))).toBe(23);
  expect(asked).toEqual([23, 24]);
});

test('what is likely is asked again once something was learned', () => {
  const asked: number[] = [];
  const holds = (at: number): boolean => asked.push(at) > 0 && at <= 23;
  // Nothing is known at first; behind the first failure each has its likely place.
  expect(largestOfWhich(holds, 0, 512, upToLearned)).toBe(23);
  expect(asked).toEqual([40, 23, 24]);

  function upToLearned(at: number): boolean {
    return at <= (asked.length === 0 ? 40 : 23);
  }
});
