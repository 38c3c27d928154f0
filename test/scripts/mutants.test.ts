import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIGURES } from '../../bench/mutants/faults/figures.js';
import { WHAT_IS_READ } from '../../bench/mutants/faults/headers-and-shapes.js';
import { LAUNCHES } from '../../bench/mutants/faults/launches.js';
import { OUTSIDE } from '../../bench/mutants/faults/outside.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('every fault of npm run mutants can still be made, in a place of its own, and has its tests', () => {
  const wrong = [...WHAT_IS_READ, ...FIGURES, ...LAUNCHES, ...OUTSIDE].filter(({ file, from, tests }) => {
    const places = readFileSync(join(ROOT, file), 'utf8').split(from).length - 1;
    return places !== 1 || !tests.every((each) => existsSync(join(ROOT, each)));
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
});
