import { describe, expect, test } from '@jest/globals';
import { repeatsAmong } from '../../../../src/lib/estimate/context/repeats.js';

const groupsOf = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

describe('layers that do what those before them did', () => {
  // Gone through are the first two periods, of at least four layers, and one or the reach more; behind, one and that again.
  test('are whole periods, an even number of them, with enough before and behind', () => {
    expect(repeatsAmong(groupsOf('a' + 'b'.repeat(20) + 'c'), [0, 1, 2, 21], 1)).toEqual([
      { start: 6, end: 18, period: 1, reach: 1 },
    ]);
    expect(repeatsAmong(groupsOf('abc'.repeat(12)), [0, 1, 2, 3], 1)).toEqual([
      { start: 9, end: 27, period: 3, reach: 1 },
    ]);
  });

  test('are none that is planned', () => {
    const [repeats] = repeatsAmong(groupsOf('b'.repeat(30)), [0, 1, 9], 1);
    expect(repeats).toMatchObject({ start: 10 });
  });

  test('are looked for in every run', () => {
    const groups = groupsOf('a'.repeat(20) + 'b'.repeat(20));
    expect(repeatsAmong(groups, [0, 1], 1).map(({ start, end }) => [start, end])).toEqual([
      [5, 17],
      [25, 37],
    ]);
  });

  test('are none where a run is short', () => {
    expect(repeatsAmong(groupsOf('aaaaaaab'), [0], 1)).toEqual([]);
    expect(repeatsAmong(groupsOf('abcdefgh'), [0], 1)).toEqual([]);
  });
});
