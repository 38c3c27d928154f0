import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { advise } from '../../../../src/lib/preflight/advice/advise.js';
import { otherShares } from '../../../../src/lib/preflight/advice/gpu-shares.js';
import { typedChanges } from '../../../../src/lib/preflight/advice/typed-changes.js';
import { type Room, Trials } from '../../../../src/lib/preflight/advice/trials.js';
import { ALL_GPU_LAYERS, type LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const GIB = 2 ** 30;
const LLAMA = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));
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
