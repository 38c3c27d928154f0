import { expect, test } from '@jest/globals';
import type { Advice, Change, ModelVariant } from '../../../../src/lib/preflight/advice/advice.js';
import { headline } from '../../../../src/lib/preflight/advice/headline.js';

const proven = (...changes: Change[]) => ({ changes, flags: [] }) as unknown as Advice;
const variant = {} as ModelVariant;

test('the line of suggestions says what was proven, the most telling first, and no more than three', () => {
  const advice = [
    proven({ kind: 'cache-type', type: 'q8_0' }, { kind: 'quantization', variant }),
    proven({ kind: 'free-memory', freeBytes: 1, inUseBytes: 1 }, { kind: 'quantization', variant }),
    proven({ kind: 'context', tokens: 4096 }),
  ];
  expect(headline(advice)).toEqual(['try a smaller quantization', 'reduce --ctx-size', 'free system memory']);
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
