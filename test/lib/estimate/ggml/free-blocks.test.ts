import { describe, expect, test } from '@jest/globals';
import { FreeBlocks, NONE } from '../../../../src/lib/estimate/ggml/free-blocks.js';

describe('free blocks of a buffer', () => {
  test('joins what adjoins behind an empty block that was left out of order', () => {
    const blocks = new FreeBlocks(1000);
    blocks.take(0, 80);
    blocks.take(0, 10);
    blocks.take(0, 10);
    blocks.free(90, 10);
    blocks.take(0, 40);
    // A result without bytes that was placed at 100, before the forty bytes around it were taken.
    blocks.free(100, 0);
    expect(blocks.describe()).toBe('100+0,130+870');
    blocks.free(90, 40);
    expect(blocks.describe()).toBe('100+0,90+910');
    blocks.free(80, 10);
    expect(blocks.describe()).toBe('100+0,80+920');
    blocks.free(0, 80);
    expect(blocks.describe()).toBe('100+0,0+1000');
  });

  test('takes the tightest block, the last of those that are equally tight, and its open end only where asked', () => {
    const blocks = new FreeBlocks(1000);
    blocks.take(0, 100);
    for (const [offset, size] of [
      [0, 16],
      [32, 8],
      [64, 8],
    ] as const)
      blocks.free(offset, size);
    expect(blocks.offsetOf(blocks.tightest(8))).toBe(64);
    expect(blocks.tightest(17)).toBe(NONE);
    expect(blocks.endFor(17)).toBe(100);
  });
});
