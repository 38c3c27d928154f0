import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuantity } from '../../../src/lib/budget/quantity.js';
import { UsageError } from '../../../src/lib/errors.js';

describe('an amount of memory', () => {
  test.each([
    ['24g', 24 * 2 ** 30],
    ['24gb', 24 * 2 ** 30],
    ['512m', 512 * 2 ** 20],
    ['24Gi', 25_769_803_776],
    ['3.4Gi', 3_650_722_201],
    ['24G', 24_000_000_000],
    ['24GB', 25_769_803_776],
    ['2T', 2_000_000_000_000],
    ['2TB', 2_199_023_255_552],
    ['512Mi', 536_870_912],
    ['1Mi', 1_048_576],
    ['1.5Ti', 1_649_267_441_664],
    ['17179869184', 17_179_869_184],
    ['129e6', 129_000_000],
    [' 8Gi ', 8_589_934_592],
    ['0', 0],
    ['0Gi', 0],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseQuantity(text, '--in-use')).toBe(bytes);
  });

  test.each(['', 'Gi', 'abc', '-4Gi', '4 GigaBytes', '4gi', '1e400', '0x10', '9e15Ti'])('%j is refused', (text) => {
    expect(() => parseQuantity(text, '--in-use')).toThrow(UsageError);
  });

  test('a number without a unit that is only a few bytes is taken for a forgotten unit', () => {
    expect(() => parseQuantity('24', '--memory-budget')).toThrow('--memory-budget "24" is only 24 bytes');
    expect(() => parseQuantity('1048575', '--in-use')).toThrow('--in-use "1048575" is only 1048575 bytes');
  });

  test('whole gibibytes are read exactly', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 8_000_000 }), (n) => parseQuantity(`${n}Gi`, 'x') === n * 2 ** 30));
  });
});
