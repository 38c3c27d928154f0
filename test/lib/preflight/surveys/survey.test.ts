import { beforeAll, describe, expect, test } from '@jest/globals';
import { roomOf } from '../../../../src/lib/preflight/advice/machine-changes.js';
import { contextCurve, contextTable, surveyMacs } from '../../../../src/lib/preflight/surveys/survey.js';
import { Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const GIB = 2 ** 30;
const launch = { accelerator: 'metal', ctxSize: 8192 } as const;
let shape: ModelShape;
let trials: Trials;
beforeAll(async () => {
  shape = await bundledShape('gemma-3-12b', 'Q5_K_M');
  trials = new Trials(roomOf(24 * GIB, 4 * GIB, true));
});

describe('the table of contexts', () => {
  test('holds what a single estimate of each cell says', () => {
    const { names, rows } = contextTable(trials, { shape, launch }, 'cache-type');
    expect(names).toEqual(['f16', 'q8_0', 'q4_0']);
    for (const { tokens, verdicts } of rows) {
      names.forEach((type, column) => {
        const cell = { ...launch, ctxSize: tokens, cacheTypeK: type, cacheTypeV: type } as never;
        expect(verdicts[column]).toMatchObject({ estimate: { parts: estimateMemory(shape, cell).parts } });
      });
    }
  });

  test('gives as the largest what fits, 256 tokens more of which do not', () => {
    const { largest } = contextTable(trials, { shape, launch }, 'cache-type');
    const [most = 0] = largest;
    expect(most).toBeGreaterThan(8192);
    expect(most).toBeLessThan(131072);
    expect(trials.judge(shape, { ...launch, ctxSize: most })?.kind).not.toBe('does-not-fit');
    expect(trials.judge(shape, { ...launch, ctxSize: most + 256 })?.kind).toBe('does-not-fit');
  });

  test('gives each slot the whole context where slots are the columns', () => {
    const { names, rows } = contextTable(trials, { shape, launch }, 'slots');
    const verdicts = rows.find(({ tokens }) => tokens === 4096)?.verdicts ?? [];
    expect(verdicts).toMatchObject(names.map(() => ({ estimate: { resolved: { nCtxSeq: 4096 } } })));
  });
});

test('a larger Mac never holds less', () => {
  const macs = surveyMacs({ shape, launch }, { inUseBytes: 4 * GIB });
  const largest = macs.map(({ largest: tokens = 0 }) => tokens);
  expect(macs.map(({ gigabytes }) => gigabytes)).toEqual([8, 16, 18, 24, 32, 36, 48, 64, 96, 128, 192, 256, 512]);
  expect(largest).toEqual([...largest].sort((a, b) => a - b));
  expect(largest.at(-1)).toBe(131072);
  expect(macs[0]?.verdict.kind).toBe('does-not-fit');
});

test('the curve ends at the trained context and rises', () => {
  const curve = contextCurve(trials, { shape, launch }, 12);
  const needed = curve.map(({ verdict }) => verdict.limits[0]?.requiredBytes ?? 0);
  expect(curve.at(-1)?.tokens).toBe(131072);
  expect(needed).toEqual([...needed].sort((a, b) => a - b));
});
