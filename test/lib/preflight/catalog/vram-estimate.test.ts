import { describe, expect, test } from '@jest/globals';
import {
  formatVramEstimate,
  judgeVramEstimate,
  parseVramEstimate,
  type VramEstimate,
} from '../../../../src/lib/preflight/catalog/vram-estimate.js';

const GIB = 2 ** 30;

const figures = (shortGb: number, ownGb: number, context = 32768) => ({
  short: { context: Math.min(8192, context), requirementBytes: shortGb * GIB },
  own: { context, requirementBytes: ownGb * GIB },
});

const judge = (text: string, takes: ReturnType<typeof figures>) =>
  judgeVramEstimate(parseVramEstimate(text) as VramEstimate, takes);

describe('a vram_estimate', () => {
  test('is read as a range, or as what the entry takes at its own context', () => {
    expect(parseVramEstimate('5.5-8GB')).toEqual({ lowBytes: 5.5 * GIB, highBytes: 8 * GIB });
    expect(parseVramEstimate('8GB')).toEqual({ lowBytes: undefined, highBytes: 8 * GIB });
    expect(parseVramEstimate('8 GiB')).toBeUndefined();
  });

  test('is written rounded outwards', () => {
    expect(formatVramEstimate(figures(6.9, 22.5))).toBe('6-23GB');
  });

  test.each([
    // says, takes at 8192, takes at its own context
    ['6-23GB', 6.9, 22.5],
    ['6-23GB', 6.0, 23.0],
    ['23GB', 6.9, 22.5],
    // 5 % of 81 is more than 1 GB
    ['42-84GB', 42.8, 81],
  ])('of %s is true for %d and %d GB', (says, short, own) => {
    expect(judge(says, figures(short, own))).toEqual({ status: 'true', end: null, offBytes: 0 });
  });

  test('contradicts a context that takes more than it says', () => {
    expect(judge('5-8GB', figures(6.5, 22.5))).toEqual({
      status: 'contradicts-context',
      end: 'high',
      offBytes: 14.5 * GIB,
    });
  });

  test.each([
    ['takes more even at a short context', '2-4GB', figures(6.5, 22.5), 'high', 18.5],
    ['has no longer context to contradict', '2-4GB', figures(6.5, 6.5, 8192), 'high', 2.5],
    ['takes far less', '6-25GB', figures(6.5, 22.5), 'high', -2.5],
    ['takes less at a short context than it says', '8-23GB', figures(6.5, 22.5), 'low', -1.5],
    ['takes far more at a short context than it says', '2-23GB', figures(6.5, 22.5), 'low', 4.5],
  ])('is wrong when the model %s', (_, says, takes, end, offGb) => {
    expect(judge(says, takes)).toEqual({ status: 'wrong', end, offBytes: offGb * GIB });
  });

  test('that is written for the figures is always true', () => {
    for (const [short, own] of [
      [0.9, 0.9],
      [3, 3],
      [6.001, 6.999],
      [240.5, 512.25],
    ] as const) {
      const takes = figures(short, own);
      expect(judge(formatVramEstimate(takes), takes).status).toBe('true');
    }
  });
});
