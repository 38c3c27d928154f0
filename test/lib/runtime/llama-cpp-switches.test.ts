import { expect, test } from '@jest/globals';
import { switchesOf } from '../../../src/lib/runtime/llama-cpp-switches.js';

test.each([
  // It came in with one of the builds 10525 to 10549: the first may have it already, the last has it.
  [10524, false, false],
  [10525, true, true],
  [10548, true, true],
  [10549, true, false],
])('build %d has a change that came in about there: %s, guessed: %s', (build, has, guessed) => {
  const found = switchesOf({ from: build, to: build });
  expect(found.switches.metalHalfCopies).toBe(has);
  expect(found.guessed.includes('metalHalfCopies')).toBe(guessed);
});

const guessed = (build: number): readonly string[] => switchesOf({ from: build, to: build }).guessed;

test.each([9453, 9496, 10472, 10549, 10605, 10852, 11222, 11223, 11368, 11434, 12032])(
  'nothing has to be guessed of build %d, which was read',
  (build) => {
    expect(guessed(build)).toEqual([]);
  },
);

test('of all builds between b11434 and b11549, and of all between b11740 and b12032, the same is not known', () => {
  expect(guessed(11435)).toEqual(guessed(11436));
  expect(guessed(11435).length).toBeGreaterThan(10);
  expect(guessed(11435)).toEqual(guessed(11547));
  expect(guessed(12031)).toEqual(guessed(11740));
});
