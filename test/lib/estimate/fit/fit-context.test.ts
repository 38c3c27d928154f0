import { expect, test } from '@jest/globals';
import type { DeviceUse, DryRun } from '../../../../src/lib/estimate/fit/dry-run.js';
import { fitContext } from '../../../../src/lib/estimate/fit/fit-context.js';
import type { FitProblem } from '../../../../src/lib/estimate/fit/layer-split.js';

const GIB = 2 ** 30;

const use = (totalGib: number, modelGib = 0): DeviceUse => ({
  ...{ modelBytes: modelGib * GIB, totalBytes: totalGib * GIB, takenBytes: 0 },
});
const onGpus = (...gpus: DeviceUse[]): DryRun => ({ gpus, host: use(1) });

/** Targets in GiB, and what the least context takes of each device. */
function problem(targets: readonly number[], least: DryRun, more: Partial<FitProblem> = {}): FitProblem {
  return {
    ...({ launch: { accelerator: 'cuda' }, nLayers: 32, hasExperts: false } as unknown as FitProblem),
    targets: targets.map((gib) => gib * GIB),
    measure: () => least,
    ...more,
  };
}
const OPEN = { isOpen: true, max: 131_072, min: 4096, step: 1 };

test('what keeps every margin stays as it is', () => {
  const found = fitContext(problem([10], onGpus(use(4))), onGpus(use(10)), OPEN);
  expect(found).toMatchObject({ launch: { accelerator: 'cuda' }, unchanged: true, done: true });
  expect(found.launch).not.toHaveProperty('ctxSize');
});

test('an open context is as long as there is room for between the least and the most, in whole steps of each slot', () => {
  // 14 GiB with 131072 tokens, 4 with 4096, 10 there are: 4096 + 126976 × 6 / 10 = 80281, 313 steps of 256
  const fit = (range: object, min = 4) =>
    fitContext(problem([10], onGpus(use(min))), onGpus(use(14)), { ...OPEN, ...range }).launch.ctxSize;
  expect(fit({})).toBe(80_128);
  expect(fit({ step: 4 })).toBe(79_872);
  // Not below the least, which may be no whole step.
  expect(fit({ min: 5000 }, 10 - 2 ** -20)).toBe(5000);
  // With the least, too, there is no room.
  expect(fit({}, 10)).toBe(4096);
  expect(fit({}, 11)).toBe(4096);
});

test('with one device that ends it; with several, or where the context is not open, the layers are looked at next', () => {
  const one = fitContext(problem([10], onGpus(use(4))), onGpus(use(14)), OPEN);
  expect([one.unchanged, one.done]).toEqual([false, true]);
  const named = fitContext(problem([10], onGpus(use(4))), onGpus(use(14)), { ...OPEN, isOpen: false });
  expect([named.launch.ctxSize, named.done]).toEqual([undefined, false]);
  const least = fitContext(problem([10], onGpus(use(4))), onGpus(use(14)), { ...OPEN, max: 4096 });
  expect([least.launch.ctxSize, least.done]).toEqual([undefined, false]);
  // All together have room, but not each.
  const apart = fitContext(problem([4, 10], onGpus(use(1), use(1))), onGpus(use(6), use(7)), OPEN);
  expect([apart.launch.ctxSize, apart.unchanged, apart.done]).toEqual([undefined, false, false]);
});

test('several devices waste half a layer each and one more, or a sixth where experts may be moved', () => {
  const full = onGpus(use(12, 8), use(12, 8));
  const fit = (more: Partial<FitProblem> = {}) =>
    fitContext(problem([10, 10], onGpus(use(4), use(4)), more), full, OPEN);
  // A layer of 16 GiB / 32 is half a GiB: 3 × 0.5 / 2 = 0.75 of 20 are wasted; 4096 + 126976 × 11.25 / 16 = 93376 = 364.75 × 256
  expect(fit().launch.ctxSize).toBe(364 * 256);
  // 3 × 0.5 / 6 = 0.25: 4096 + 126976 × 11.75 / 16 = 97344 = 380.25 × 256
  expect(fit({ hasExperts: true }).launch.ctxSize).toBe(380 * 256);
  expect(fit().done).toBe(false);
  // Layers of a launch that offloads 16 are counted as twice as large: 18.5 are left of 20
  const sixteen = { launch: { accelerator: 'cuda', gpuLayers: 16 } } as unknown as Partial<FitProblem>;
  expect(fit(sixteen).launch.ctxSize).toBe(Math.floor((4096 + (126_976 * 10.5) / 16) / 256) * 256);
});

test('without a GPU the host is what is fitted', () => {
  const least: DryRun = { gpus: [], host: use(4) };
  const full: DryRun = { gpus: [], host: use(14) };
  expect(fitContext(problem([10], least), full, OPEN).launch.ctxSize).toBe(80_128);
});
