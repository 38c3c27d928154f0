import { expect, test } from '@jest/globals';
import { nearest } from '../../src/lib/nearest.js';

test.each([
  ['qwen-coder-23b', ['qwen-coder-7b', 'qwen-coder-32b'], 'qwen-coder-32b'],
  ['--cache-tpye-k', ['--cache-ram', '--cache-type-v', '--cache-type-k'], '--cache-type-k'],
  ['lama-3', ['llama-3.1-8b', 'llama-3'], 'llama-3'],
])('%s most likely means what swaps or misses a letter: %j', (typed, names, meant) => {
  expect(nearest(typed, names)[0]).toBe(meant);
});

test.each([
  ['v', ['rm', 'ls']],
  ['-x', ['rm', 'del']],
])('%s means none of %j, with which it has no letter in common', (typed, names) => {
  expect(nearest(typed, names)).toEqual([]);
});

test('a short word still means one that it shares letters with', () => {
  expect(nearest('mr', ['ls', 'rm'])).toEqual(['rm']);
  expect(nearest('q8', ['f16', 'q8_0'])).toEqual(['q8_0']);
});

test('names from outside take no longer than a moment, however many and long they are', () => {
  let looks = 0;
  // Says that it is longer than it is, so that the test itself takes no time.
  const name = (length: number): string => ({ toLowerCase: () => (looks++, 'x'), length }) as unknown as string;
  const names = Array.from({ length: 100_000 }, () => name(100));
  expect(nearest('y'.repeat(99), names)).toEqual([]);
  expect(looks).toBe(1000);
  expect(nearest('model', [name(1_000_000), 'modle'])).toEqual(['modle']);
  expect(nearest('y'.repeat(3_000_000), ['y'])).toEqual([]);
  expect(looks).toBe(1000);
});
