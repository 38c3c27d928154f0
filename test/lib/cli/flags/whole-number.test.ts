import { expect, test } from '@jest/globals';
import { wholeNumber, wholeNumbers } from '../../../../src/lib/cli/flags/values/whole-number.js';

type Options = Parameters<typeof wholeNumber>[0];
const as = { name: 'x' } as never;
const parsed = (text: string, options: Options) => wholeNumber(options)().parse(text, {} as never, as);

test('8k tokens are 8 × 1024, where tokens are meant', async () => {
  expect(await parsed('8k', { thousands: true })).toBe(8192);
  expect(await parsed('8K', { thousands: true })).toBe(8192);
  await expect(parsed('8k', {})).rejects.toThrow('--x "8k" is not a whole number');
});

test('bounds are included, and -1 leaves the choice to llama-server only where it may', async () => {
  expect([await parsed('1', { min: 1, max: 4 }), await parsed('4', { min: 1, max: 4 })]).toEqual([1, 4]);
  await expect(parsed('0', { min: 1, max: 4 })).rejects.toThrow('--x 0 is not from 1 to 4');
  await expect(parsed('5', { min: 1, max: 4, orAuto: true })).rejects.toThrow('neither from 1 to 4 nor -1');
  expect(await parsed('-1', { min: 1, orAuto: true })).toBe(-1);
});

test('one number is for all devices, several are one each', async () => {
  const several = (text: string) => wholeNumbers()().parse(text, {} as never, as);
  expect([await several('512'), await several('512,1024'), await several('1/2')]).toEqual([512, [512, 1024], [1, 2]]);
});
