import { describe, expect, test } from '@jest/globals';
import { formatCompared, formatGigabytes, formatSize } from '../../../../src/lib/report/words/bytes.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

describe('a size for people', () => {
  test.each([
    [32 * GIB, '32GB'],
    [3.4 * GIB, '3.4GB'],
    [21.19 * GIB, '21.2GB'],
    [0, '0GB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(formatGigabytes(bytes)).toBe(text);
  });

  test.each([
    [2.3 * MIB, '2.3MB'],
    [298 * MIB, '298MB'],
    [18.48 * GIB, '18.48GB'],
    [2 * GIB, '2GB'],
  ])('of a part of %d bytes is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('two sizes that are compared', () => {
  test.each([
    [21.2, 18.04, ['21GB', '18GB']],
    [18.4, 18.04, ['18.4GB', '18GB']],
    [18.03, 18.01, ['18.03GB', '18.01GB']],
    [2, 0.5, ['2GB', '512MB']],
  ])('%d and %d GB tell apart', (a, b, texts) => {
    expect(formatCompared(a * GIB, b * GIB)).toEqual(texts);
  });
});
