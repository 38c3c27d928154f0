import { expect, test } from '@jest/globals';
import { flagError } from '../../../src/lib/cli/flags/flag-errors.js';

const refused = (typed: string): unknown =>
  flagError(
    Object.assign(new Error(`Expected --accelerator=${typed} to be one of: metal, cpu, cuda, rocm, vulkan, intel`), {
      oclif: {},
    }),
    new Map(),
  );

test.each([
  ['sycl', 'intel'],
  ['HIP', 'rocm'],
  ['nvidia', 'cuda'],
  ['mps', 'metal'],
])('who writes --accelerator %s is told of %s', (typed, meant) => {
  expect(refused(typed)).toMatchObject({
    message: `--accelerator "${typed}" is not one of metal, cpu, cuda, rocm, vulkan, intel`,
    options: { suggestions: [`did you mean --accelerator ${meant}?`, 'see the same command with --help'] },
  });
});

test('of a word that nothing is called nothing is guessed', () => {
  expect(refused('constructor')).toMatchObject({ options: { suggestions: ['see the same command with --help'] } });
});

test('of a mistake that is not about a value nothing is guessed', () => {
  const error = Object.assign(new Error('Unexpected argument: another\nSee more help with --help'), { oclif: {} });
  expect(flagError(error, new Map())).toMatchObject({ options: { suggestions: ['see the same command with --help'] } });
});
