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

/** The most telling first. */
const WORDS = [
  [{ kind: 'tensor-split', shares: [2, 1] }, 'share the layers otherwise (--tensor-split)'],
  [{ kind: 'load', mmap: false }, 'use --no-mmap'],
  [{ kind: 'projector', isNamed: true }, 'do without the projector'],
  [{ kind: 'projector-on-cpu' }, 'keep the projector on the CPU'],
  [{ kind: 'draft-tokens', tokens: 2 }, 'lower --spec-draft-n-max'],
  [{ kind: 'draft-cache-type', type: 'q8_0' }, 'use --spec-draft-type-k q8_0 --spec-draft-type-v q8_0'],
  [{ kind: 'draft-quantization', variant }, 'try a smaller draft'],
  [{ kind: 'draft-on-cpu' }, 'keep the draft on the CPU'],
  [{ kind: 'no-draft' }, 'do without the draft'],
  [{ kind: 'cpu-experts', layers: 25 }, 'keep experts on the CPU'],
  [{ kind: 'gpu-layers', layers: 40, of: 81 }, 'lower --gpu-layers'],
  [smallerFile, 'try a smaller quantization'],
  [lessContext, 'reduce --ctx-size'],
  [{ kind: 'free-memory', freeBytes: 1, inUseBytes: 1 }, 'free system memory'],
  [{ kind: 'slots', slots: 1 }, 'reduce --parallel'],
  [compactCache, 'use --cache-type-k q8_0 --cache-type-v q8_0'],
  [{ kind: 'ubatch', tokens: 64 }, 'lower --ubatch-size'],
  [{ kind: 'memory-fraction', fraction: 0.9, leftBytes: 1 }, 'raise --memory-fraction'],
  [{ kind: 'wired-limit', mebibytes: 1, leftBytes: 1 }, "raise Metal's limit"],
  [{ kind: 'machine', gigabytes: 48, memory: 'mac' }, 'use a smaller model or a larger machine'],
] as readonly (readonly [Change, string])[];

test.each<readonly [Change, string]>([
  ...WORDS,
  [{ kind: 'load', repack: false }, 'use --no-repack'],
  [{ kind: 'gpu-layers', layers: 81, of: 81 }, 'raise --gpu-layers'],
  [{ kind: 'cpu-experts', layers: 25, isFewer: true }, 'keep fewer experts on the CPU'],
  [{ kind: 'machine', gigabytes: 24, memory: 'budget' }, 'raise --memory-budget'],
  [{ kind: 'machine', gigabytes: 48, memory: 'gpu' }, 'use a smaller model or a larger machine'],
])('%j is proposed as "%s"', (change, words) => {
  expect(headline([proven(change)])).toEqual([words]);
});

test('of two that are each enough the more telling one is said first', () => {
  for (const [at, [change, words]] of WORDS.slice(1).entries()) {
    const [before, wordsBefore] = WORDS[at] as (typeof WORDS)[number];
    expect(headline([proven(change), proven(before)])).toEqual([wordsBefore, words]);
  }
});

test('what is to be raised is called by who said it', () => {
  const fraction = proven({ kind: 'memory-fraction', fraction: 0.9, leftBytes: 1 });
  const budget = proven({ kind: 'machine', gigabytes: 24, memory: 'budget' });
  const from = 'spec.hardware.memoryFraction';
  expect(headline([fraction], { fraction: 0.5, from })).toEqual([`raise ${from}`]);
  // An amount was said there, no fraction.
  expect(headline([fraction], { absoluteBytes: 1, from })).toEqual(['raise --memory-fraction']);
  expect(headline([budget], { absoluteBytes: 1, from })).toEqual([`raise ${from}`]);
});

test('where nothing was proven, only a larger machine is left', () => {
  expect(headline([])).toEqual(['use a smaller model or a larger machine']);
});
