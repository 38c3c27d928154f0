import { expect, test } from '@jest/globals';
import { nearest } from '../../src/lib/nearest.js';

test.each([
  ['qwen-coder-23b', ['qwen-coder-7b', 'qwen-coder-32b'], 'qwen-coder-32b'],
  ['--cache-tpye-k', ['--cache-ram', '--cache-type-v', '--cache-type-k'], '--cache-type-k'],
  ['lama-3', ['llama-3.1-8b', 'llama-3'], 'llama-3'],
])('%s most likely means what swaps or misses a letter: %j', (typed, names, meant) => {
  expect(nearest(typed, names)[0]).toBe(meant);
});
