import { expect, test } from '@jest/globals';
import { trainedContext, usefulContext } from '../../../../src/lib/estimate/context/trained-context.js';
import type { Hparams } from '../../../../src/lib/model/hparams.js';

const hparams = (more: object = {}): Hparams =>
  ({ nCtxTrain: 40_960, nCtxOrigYarn: 32_768, rope: { scaling: 'linear', freqScale: 1 }, ...more }) as Hparams;

test('a model was trained with what its header says, or what YaRN makes of it where that is not the header’s own', () => {
  expect(trainedContext(hparams(), {})).toBe(40_960);
  expect(trainedContext(hparams(), { ropeScaling: 'yarn', ropeFreqScale: 0.25 })).toBe(131_072);
  expect(trainedContext(hparams(), { ropeScaling: 'yarn', ropeFreqScale: 0.25, yarnOrigCtx: 8192 })).toBe(32_768);
  // In single precision 0.3 is a little more.
  expect(trainedContext(hparams(), { ropeScaling: 'yarn', ropeFreqScale: 0.3 })).toBe(
    Math.floor(32_768 / Math.fround(0.3)),
  );
  // Another way to scale, or the header's own scale, or none, changes nothing.
  expect(trainedContext(hparams(), { ropeScaling: 'linear', ropeFreqScale: 0.25 })).toBe(40_960);
  const scaled = hparams({ rope: { scaling: 'yarn', freqScale: 0.25 } });
  expect(
    ['yarn', undefined].map((ropeScaling) => trainedContext(scaled, { ropeScaling: ropeScaling as 'yarn' })),
  ).toEqual([40_960, 40_960]);
  expect(trainedContext(scaled, { ropeFreqScale: 0.25 })).toBe(40_960);
  expect(trainedContext(scaled, { ropeFreqScale: 0.5 })).toBe(65_536);
});

test('no more is of use than that for each slot with a context of its own, in whole steps', () => {
  const shape = { hparams: hparams({ nCtxTrain: 1000 }) };
  expect(usefulContext(shape, {})).toBe(1024);
  expect(usefulContext(shape, {}, { slots: 4, kvUnified: true })).toBe(1024);
  expect(usefulContext(shape, {}, { slots: 4, kvUnified: false })).toBe(4096);
});
