import { describe, expect, test } from '@jest/globals';
import { formatCompared, formatExceeding, formatSize } from '../../../../src/lib/report/words/bytes.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

describe('a size for people', () => {
  test.each([
    [32 * GIB, '32GB'],
    [3.4 * GIB, '3.4GB'],
    [21.19 * GIB, '21.2GB'],
    [2 * GIB, '2GB'],
    [0, '0GB'],
    [2.3 * MIB, '2.3MB'],
    [298 * MIB, '298MB'],
    [1023.7 * MIB, '1GB'],
    [600 * 1024, '0.6MB'],
    [100 * 1024, '100KB'],
    [40 * 1024, '40KB'],
    [10.4 * 1024, '10KB'],
    [9.96 * 1024, '10KB'],
    [9.4 * 1024, '9.4KB'],
    [0.1 * MIB - 1, '102KB'],
    [0.1 * MIB + 1, '0.1MB'],
    [9.94 * MIB, '9.9MB'],
    [10.4 * MIB, '10MB'],
    [1023.4 * MIB, '1023MB'],
    [-4.6 * GIB, '-4.6GB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('two sizes that are compared', () => {
  test.each([
    [21.2, 18.04, ['21.2GB', '18GB']],
    [18.4, 18.04, ['18.4GB', '18GB']],
    [18.03, 18.01, ['18.03GB', '18.01GB']],
    [18.0302, 18.0299, ['18.0302GB', '18.0299GB']],
    [18, 18, ['18GB', '18GB']],
    [18.000001, 18.000002, ['18.000001GB', '18.000002GB']],
    [18.0000001, 18.0000002, ['18GB', '18GB']],
    [2, 0.5, ['2GB', '512MB']],
  ])('%d and %d GB tell apart', (a, b, texts) => {
    expect(formatCompared(a * GIB, b * GIB)).toEqual(texts);
  });
});

describe('a requirement above its budget', () => {
  test.each([
    [21.2, 18.04, ['~21GB', '18GB']],
    [18.4, 18.04, ['~18.4GB', '18GB']],
    [21.4, 20.96, ['~21.4GB', '21GB']],
    [0.7, 0.5, ['~717MB', '512MB']],
  ])('of %d against %d GB is said in whole gigabytes where that is above it', (required, budget, texts) => {
    expect(formatExceeding(required * GIB, budget * GIB)).toEqual(texts);
  });
});
