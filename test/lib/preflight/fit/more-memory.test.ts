import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { join } from 'node:path';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { fitLaunch } from '../../../../src/lib/preflight/fit/fit-launch.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { requantise } from '../../../../src/lib/model/quantization/quant-recipe.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const GIB = 2 ** 30;
const shapeOf = (name: string) => describeModel(profileHeader(readProfile(join(PROFILES, `${name}.json`))));
const EXPERTS = shapeOf('qwen3-30b-a3b.Q4_K_M');
const DENSE = shapeOf('llama-3.1-8b.Q4_K_M');

interface Machine {
  readonly cards: readonly number[];
  readonly host: number;
}

const room = ({ cards, host }: Machine): Room => ({
  host: {
    ...{ source: 'given', totalBytes: host * GIB, inUseBytes: 0, notes: [] },
    gpus: cards.map((size, index) => ({ index, name: '', totalBytes: size * GIB, usedBytes: 0 })),
  },
  policy: {},
});

/** What there is of the best launch: weights altogether, of these on the host, and context; undefined where nothing fits. */
function best(
  shape: ModelShape,
  machine: Machine,
  quantizations: readonly string[] = [],
  said: Partial<LaunchOptions> = {},
) {
  const variants = quantizations.flatMap((quantization) => {
    const other = requantise(shape, quantization);
    return other === undefined ? [] : [{ quantization, shape: other, isProven: true, isEstimated: true }];
  });
  const launch: LaunchOptions = { accelerator: 'cuda', llamaCpp: 'v0.5.0', ...said };
  const found = fitLaunch(new Trials(room(machine)), { shape, launch, variants, prefer: 'quality', asked: {} });
  if (found === undefined) return undefined;
  const { parts, resolved } = found.verdict.estimate;
  const onHost = parts.filter(({ name, device }) => /^weights(-copy)?$/.test(name) && device === 'host');
  return {
    fileBytes: found.shape.fileBytes,
    hostBytes: onHost.reduce((sum, { bytes }) => sum + bytes, 0),
    nCtx: resolved.nCtx,
    changes: found.changes.map(({ kind }) => kind),
  };
}

type Best = ReturnType<typeof best>;

/** No better in anything, and worse in something. */
function isWorse(one: Best, other: Best): boolean {
  if (one === undefined || other === undefined) return one === undefined && other !== undefined;
  if (one.fileBytes !== other.fileBytes) return one.fileBytes < other.fileBytes;
  const [more, fewer] = [one.hostBytes - other.hostBytes, other.nCtx - one.nCtx];
  return more >= 0 && fewer >= 0 && more + fewer > 0;
}

describe('more memory never leads to a worse launch', () => {
  test.each([
    ['a second card that is half as large', EXPERTS, [12], [12, 6]],
    ['a third one', EXPERTS, [8, 4], [8, 4, 4]],
    ['one that holds little more than its driver takes', DENSE, [6], [6, 1]],
    ['one that is too small for anything', EXPERTS, [12], [12, 0.5]],
  ])('%s', (_, shape, cards, more) => {
    const [before, after] = [best(shape, { cards, host: 64 }), best(shape, { cards: more, host: 64 })];
    expect(before).toBeDefined();
    expect([before, after, isWorse(after, before)]).toEqual([before, after, false]);
  });

  test('of a mixture, a second card takes experts in: fewer layers stay on the host, shared as the cards hold them', () => {
    const [one, two] = [best(EXPERTS, { cards: [12], host: 64 }), best(EXPERTS, { cards: [12, 6], host: 64 })];
    expect(two?.hostBytes).toBeLessThan((one?.hostBytes ?? 0) / 2);
    expect(two?.changes).toEqual(expect.arrayContaining(['cpu-experts', 'tensor-split']));
  });

  test('a card that is full is not used, and the host alone runs what it would run without one', () => {
    const found = best(DENSE, { cards: [0.2], host: 32 });
    expect(found?.changes).toContain('no-gpu');
    expect(found?.nCtx).toBeGreaterThan(8192);
  });

  test('GPUs that were named are all used, whatever they cost', () => {
    const named = best(DENSE, { cards: [6, 1], host: 64 }, [], { devices: [0, 1] });
    expect(named?.changes.filter((kind) => kind === 'devices' || kind === 'no-gpu')).toEqual([]);
  });

  test('a card beside which others only cost is used alone', () => {
    expect(best(DENSE, { cards: [6, 0.5], host: 64 })).toEqual({
      ...best(DENSE, { cards: [6], host: 64 }),
      changes: expect.arrayContaining(['devices']),
    });
  });

  const SIZES = [0.2, 1, 2, 4, 6, 8, 12, 16, 24];
  const machine = fc.record({
    cards: fc.array(fc.constantFrom(...SIZES), { minLength: 1, maxLength: 2 }),
    host: fc.constantFrom(8, 16, 32, 64),
  });
  const grown = fc.oneof(
    fc.constantFrom(...SIZES).map((size) => ({ size, where: 'first' as const })),
    fc.constantFrom(...SIZES).map((size) => ({ size, where: 'last' as const })),
    fc.constant({ size: 2, where: 'host' as const }),
  );
  const larger = (
    { cards, host }: Machine,
    { size, where }: { size: number; where: 'first' | 'last' | 'host' },
  ): Machine =>
    where === 'host'
      ? { cards, host: host * size }
      : { cards: where === 'first' ? [size, ...cards] : [...cards, size], host };

  test.each([
    ['a dense model', DENSE, ['Q8_0', 'Q3_K_M'], 12],
    ['a mixture of experts', EXPERTS, [], 5],
  ])('%s on any machine, with one card or twice the memory more', (_, shape, quantizations, numRuns) => {
    fc.assert(
      fc.property(machine, grown, (before, more) => {
        const after = larger(before, more);
        expect([after, isWorse(best(shape, after, quantizations), best(shape, before, quantizations))]).toEqual([
          after,
          false,
        ]);
      }),
      { numRuns },
    );
  });

  test('a launch that is named in full is judged no worse where the host or every card has twice as much', () => {
    const JUDGEMENTS = ['does-not-fit', 'tight', 'fits'];
    const launched = fc.record({ ctxSize: fc.constantFrom(4096, 32768), gpuLayers: fc.constantFrom(0, 10, 20, 33) });
    fc.assert(
      fc.property(machine, launched, (where, sizes) => {
        const launch = { accelerator: 'cuda', llamaCpp: 'v0.5.0', ...sizes } as const;
        const judged = (on: Machine) => JUDGEMENTS.indexOf(new Trials(room(on)).judge(DENSE, launch)?.kind ?? '');
        const before = judged(where);
        expect(before).toBeGreaterThanOrEqual(0);
        expect(judged({ ...where, host: where.host * 2 })).toBeGreaterThanOrEqual(before);
        expect(judged({ ...where, cards: where.cards.map((size) => size * 2) })).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 30 },
    );
  });
});
