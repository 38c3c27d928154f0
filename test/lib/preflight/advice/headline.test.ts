import { expect, test } from '@jest/globals';
import type { Advice, Change, ModelVariant } from '../../../../src/lib/preflight/advice/advice.js';
import { headline } from '../../../../src/lib/preflight/advice/headline.js';

const proven = (...changes: Change[]) => ({ changes, flags: [] }) as unknown as Advice;
const variant = {} as ModelVariant;

const lessContext: Change = { kind: 'context', tokens: 4096 };
const compactCache: Change = { kind: 'cache-type', type: 'q8_0' };
const smallerFile: Change = { kind: 'quantization', variant };

test('the line of suggestions says what was proven, the most telling first, and no more than three', () => {
  const advice = [
    proven(compactCache, smallerFile),
    proven({ kind: 'free-memory', freeBytes: 1, inUseBytes: 1 }, smallerFile),
    proven(lessContext),
    proven(smallerFile),
  ];
  expect(headline(advice)).toEqual(['try a smaller quantization', 'reduce --ctx-size', 'free system memory']);
});

test('what is needed together is said to be', () => {
  const both = proven(lessContext, compactCache);
  expect(headline([both])).toEqual(['reduce --ctx-size and use --cache-type-k q8_0 --cache-type-v q8_0']);
  const three = proven(lessContext, compactCache, { kind: 'slots', slots: 1 });
  expect(headline([three])).toEqual([
    'reduce --ctx-size, reduce --parallel and use --cache-type-k q8_0 --cache-type-v q8_0',
  ]);
  expect(headline([three, both])).toEqual(headline([both]));
});

test('what only helps beside something that is not enough either is not offered next to what is enough', () => {
  expect(headline([proven(lessContext, compactCache), proven({ kind: 'ubatch', tokens: 64 })])).toEqual([
    'lower --ubatch-size',
  ]);
});

test.each<[Change, string]>([
  [{ kind: 'load', mmap: false }, 'use --no-mmap'],
  [{ kind: 'load', repack: false }, 'use --no-repack'],
  [{ kind: 'gpu-layers', layers: 40, of: 81 }, 'lower --gpu-layers'],
  [{ kind: 'gpu-layers', layers: 81, of: 81 }, 'raise --gpu-layers'],
  [{ kind: 'cpu-experts', layers: 25 }, 'keep experts on the CPU'],
  [{ kind: 'machine', gigabytes: 24, memory: 'budget' }, 'raise --memory-budget'],
  [{ kind: 'machine', gigabytes: 48, memory: 'mac' }, 'use a smaller model or a larger machine'],
])('%j is proposed as "%s"', (change, words) => {
  expect(headline([proven(change)])).toEqual([words]);
});

test('where nothing was proven, only a larger machine is left', () => {
  expect(headline([])).toEqual(['use a smaller model or a larger machine']);
});
