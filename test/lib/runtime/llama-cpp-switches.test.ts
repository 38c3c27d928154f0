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
