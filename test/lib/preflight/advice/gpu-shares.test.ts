import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { otherShares, sharedExperts } from '../../../../src/lib/preflight/advice/gpu-shares.js';
import { typedChanges } from '../../../../src/lib/preflight/advice/typed-changes.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { ALL_GPU_LAYERS, type LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const GIB = 2 ** 30;
const shapeOf = (name: string) => describeModel(profileHeader(readProfile(join(PROFILES, `${name}.json`))));
const LLAMA = shapeOf('llama-3.1-8b.Q4_K_M');
/** 32 and the output head. */
const LAYERS = 33;

const cards = (...gigabytes: number[]): Room => ({
  host: {
    ...{ source: 'given', totalBytes: 64 * GIB, inUseBytes: 0, notes: [] },
    gpus: gigabytes.map((size, index) => ({ index, name: '', totalBytes: size * GIB, usedBytes: 0 })),
  },
  policy: {},
});
const LAUNCH: LaunchOptions = {
  ...{ accelerator: 'cuda', ctxSize: 49152, gpuLayers: ALL_GPU_LAYERS, llamaCpp: 'v0.5.0' },
};

describe('layers shared otherwise between two unequal cards', () => {
  const room = cards(4, 8);
  const trials = new Trials(room);

  test('are advised first where some share of them fits, and llama.cpp by what is free finds none', () => {
    expect(trials.fitting(LLAMA, LAUNCH)).toBeUndefined();
    const shares = Array.from({ length: LAYERS - 1 }, (_, i) => [i + 1, LAYERS - 1 - i]);
    const fitting = shares.filter((tensorSplit) => trials.fitting(LLAMA, { ...LAUNCH, tensorSplit }));
    expect(fitting.length).toBeGreaterThan(0);
    const [first] = advise({ shape: LLAMA, launch: LAUNCH, room, variants: [], trials });
    // As many on the first card as it holds.
    const most = fitting.at(-1) ?? [];
    expect(first?.changes).toEqual([{ kind: 'tensor-split', shares: most }]);
    expect(typedChanges(first?.changes ?? [], []).flags).toEqual([`--tensor-split ${most.join()}`]);
  });

  test('are not advised where none fits, where shares were said, or for another number of cards', () => {
    const shares = (where: Room, launch: LaunchOptions) => otherShares(new Trials(where), LLAMA, launch);
    expect(shares(room, { ...LAUNCH, ctxSize: 131072 })).toBeUndefined();
    expect(shares(room, { ...LAUNCH, tensorSplit: [1, 1] })).toBeUndefined();
    expect(shares(cards(4, 4, 4), LAUNCH)).toBeUndefined();
  });
});

describe('experts on the host and layers shared otherwise', () => {
  const QWEN = shapeOf('qwen3-30b-a3b.Q4_K_M');
  const ALL = QWEN.hparams.nLayerAll + 1;
  const launch: LaunchOptions = { ...LAUNCH, ctxSize: 8192 };

  function advised(where: Room) {
    const trials = new Trials(where);
    const [first] = advise({ shape: QWEN, launch, room: where, variants: [], trials });
    const [experts, split, ...more] = first?.changes ?? [];
    if (experts?.kind !== 'cpu-experts' || split?.kind !== 'tensor-split') throw new Error(JSON.stringify(first));
    expect(more).toEqual([]);
    return { trials, layers: experts.layers, shares: split.shares, fits: first?.verdict.kind !== 'does-not-fit' };
  }

  test.each([[[8, 8]], [[12, 6]], [[6, 12]], [[5, 5, 5]]])(
    'are advised for cards of %j GB, with fewer layers there than where the first cards alone give experts away',
    (sizes) => {
      const { trials, layers, shares, fits } = advised(cards(...sizes));
      expect(fits).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(ALL);
      expect(trials.fitting(QWEN, { ...launch, cpuMoeLayers: layers, tensorSplit: [...shares] })).toBeDefined();
      const alone = Array.from({ length: ALL }, (_, count) => count).find((count) =>
        trials.fitting(QWEN, { ...launch, cpuMoeLayers: count }),
      );
      expect(alone).toBeGreaterThan(2 * layers);
    },
  );

  test('stand behind what loses less: a smaller batch, where that is enough, too', () => {
    const room = cards(12, 7);
    const asked = { ...launch, ubatchSize: 2048 };
    const found = advise({ shape: QWEN, launch: asked, room, variants: [], trials: new Trials(room) });
    expect(found.map(({ changes }) => changes.map(({ kind }) => kind).join('+'))).toEqual([
      ...['ubatch', 'cpu-experts+tensor-split'],
    ]);
  });

  test('are those of no more layers than any share of two cards needs', () => {
    const { trials, layers } = advised(cards(8, 8));
    const fewer = { ...launch, cpuMoeLayers: layers - 1 };
    const shares = Array.from({ length: ALL - 1 }, (_, i) => [i + 1, ALL - 1 - i]);
    expect(shares.filter((tensorSplit) => trials.fitting(QWEN, { ...fewer, tensorSplit }))).toEqual([]);
  });

  test('are not advised for one card, without experts, where shares were said, or where the cards are too small', () => {
    const from = (where: Room, asked: LaunchOptions, shape = QWEN) => sharedExperts(new Trials(where), shape, asked);
    expect(from(cards(8), launch)).toBeUndefined();
    expect(from(cards(2, 2), launch, LLAMA)).toBeUndefined();
    expect(from(cards(8, 8), { ...launch, tensorSplit: [1, 1] })).toBeUndefined();
    expect(from(cards(8, 8), { ...launch, splitMode: 'none' })).toBeUndefined();
    expect(from(cards(1, 1), launch)).toBeUndefined();
  });
});
