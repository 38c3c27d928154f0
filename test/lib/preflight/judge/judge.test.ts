import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EstimatePart, GrowthPart, MemoryEstimate } from '../../../../src/lib/estimate/memory-estimate.js';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import { judge, limitsOf } from '../../../../src/lib/preflight/judge/judge.js';
import { tightness } from '../../../../src/lib/preflight/judge/tightness.js';

const GIB = 2 ** 30;

const part = (device: EstimatePart['device'], gib: number): EstimatePart => ({
  name: 'weights',
  of: 'model',
  device,
  bytes: gib * GIB,
  accuracy: 'exact',
});

const estimate = (parts: EstimatePart[], growth: GrowthPart[] = []): MemoryEstimate =>
  ({ parts, growth, notes: [], resolved: {} }) as unknown as MemoryEstimate;

const machine = (totalGib: number, more: Partial<HostMemory> = {}): HostMemory => ({
  source: 'given',
  totalBytes: totalGib * GIB,
  inUseBytes: 0,
  notes: [],
  ...more,
});

const verdictOn = (
  parts: EstimatePart[],
  budgetGib: number,
  { growth = [], wiredGib }: { growth?: GrowthPart[]; wiredGib?: number } = {},
) => {
  const host = machine(64, wiredGib === undefined ? {} : { gpuWiredLimitBytes: wiredGib * GIB });
  const found = estimate(parts, growth);
  return judge(found, limitsOf(found, 'metal', host, { absoluteBytes: budgetGib * GIB }));
};

describe('the verdict', () => {
  test.each([
    [10, 'fits'],
    [9.6, 'fits'],
    // 0.5 of 10 GiB is exactly 5 %, which is enough; below it is not
    [10 / 0.95, 'fits'],
    [9.25, 'tight'],
    [9, 'tight'],
    [8.99, 'does-not-fit'],
  ])('on 9 GiB under %d GiB', (budgetGib, kind) => {
    expect(verdictOn([part('gpu', 5), part('host', 4)], budgetGib).kind).toBe(kind);
  });

  test('is tight when what grows can go beyond the budget', () => {
    const growth: GrowthPart[] = [{ name: 'prompt-cache', of: 'model', device: 'host', maxBytes: 8 * GIB }];
    const verdict = verdictOn([part('gpu', 9)], 16, { growth });
    expect(verdict.kind).toBe('tight');
    // 16 − 9 = 7 GiB are left for 8
    expect(tightness(verdict.limits, growth)).toEqual([
      { reason: 'growth', growth, overBytes: GIB, cacheRamMiB: 7168 },
    ]);
  });

  test('is not tight when what grows has room', () => {
    expect(
      verdictOn([part('gpu', 9)], 17, {
        growth: [{ name: 'prompt-cache', of: 'model', device: 'host', maxBytes: 8 * GIB }],
      }).kind,
    ).toBe('fits');
  });

  test('refuses by what Metal may wire although the memory would do', () => {
    const verdict = verdictOn([part('gpu', 9), part('host', 1)], 20, { wiredGib: 8 });
    expect(verdict.kind).toBe('does-not-fit');
    expect(verdict.limits.map(({ name }) => name)).toEqual(['gpu', 'memory']);
    expect(verdict.limits[0]).toMatchObject({ requiredBytes: 9 * GIB, budget: { kind: 'gpu-wired', bytes: 8 * GIB } });
  });

  test('on a discrete GPU holds each device to its own', () => {
    const host = machine(64, { gpus: [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: GIB }] });
    const found = estimate([part('gpu', 20), part('host', 2)]);
    const [first, second] = judge(found, limitsOf(found, 'cuda', host, {})).limits;
    // 64 × 0.75 − 2 = 46 GiB of headroom on the host, 23 − 20 = 3 on the GPU
    expect(first).toMatchObject({ name: 'gpu', requiredBytes: 20 * GIB, budget: { bytes: 23 * GIB } });
    expect(second).toMatchObject({ name: 'memory', requiredBytes: 2 * GIB, budget: { bytes: 48 * GIB } });
  });

  test('on a discrete GPU is not tight by what grows there and has room there, however full the machine is', () => {
    const host = machine(64, {
      inUseBytes: 44 * GIB,
      gpus: [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: 0 }],
    });
    // 64 × 0.75 − 44 − 2 = 2 GiB are left of the machine, 24 − 16 = 8 on the GPU, for 4 there
    const growth: GrowthPart[] = [{ name: 'compute', of: 'projector', device: 'gpu', maxBytes: 4 * GIB }];
    const found = estimate([part('gpu', 16), part('host', 2)], growth);
    expect(judge(found, limitsOf(found, 'cuda', host, {})).kind).toBe('fits');
  });

  test('holds each of several GPUs to its own memory', () => {
    const gpus = [24, 16].map((gib, index) => ({ index, name: '', totalBytes: gib * GIB, usedBytes: 0 }));
    const found = estimate([{ ...part('gpu', 14), gpu: 0 }, { ...part('gpu', 17), gpu: 1 }, part('host', 2)]);
    const verdict = judge(found, limitsOf(found, 'cuda', machine(64, { gpus }), {}));
    // 31 of 40 GiB in all, but 17 of 16 on the second
    expect(verdict.kind).toBe('does-not-fit');
    expect(verdict.limits).toMatchObject([
      { name: 'gpu', gpu: 1, requiredBytes: 17 * GIB, budget: { bytes: 16 * GIB } },
      { name: 'gpu', gpu: 0, requiredBytes: 14 * GIB, budget: { bytes: 24 * GIB } },
      { name: 'memory', requiredBytes: 2 * GIB },
    ]);
  });

  test('does not depend on a GPU that the launch leaves alone, however full it is', () => {
    const gpus = [23, 0].map((usedGib, index) => ({ index, name: '', totalBytes: 24 * GIB, usedBytes: usedGib * GIB }));
    const found = estimate([{ ...part('gpu', 14), gpu: 1 }, part('host', 2)]);
    const { limits } = judge(found, limitsOf(found, 'cuda', machine(64, { gpus }), {}));
    expect(limits).toMatchObject([{ name: 'gpu', gpu: 1 }, { name: 'memory' }]);
  });

  test('cannot be given for a GPU whose memory nobody knows', () => {
    const host = machine(64, { gpus: [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: 0 }] });
    const found = estimate([
      { ...part('gpu', 1), gpu: 0 },
      { ...part('gpu', 1), gpu: 1 },
    ]);
    expect(() => limitsOf(found, 'cuda', host, {})).toThrow('the memory of only 1 is known');
  });

  test('has one limit where the GPU may hold all of the machine’s memory', () => {
    const gpus = [{ index: 0, name: 'NVIDIA GB10', totalBytes: 128 * GIB, usedBytes: 0 }];
    const found = estimate([part('gpu', 48), part('host', 31)]);
    const { limits } = judge(found, limitsOf(found, 'cuda', machine(128, { gpus, unifiedMemory: true }), {}));
    expect(limits).toMatchObject([{ name: 'memory', requiredBytes: 79 * GIB, budget: { bytes: 96 * GIB } }]);
  });

  test('on a GPU that shares the machine’s memory counts everything against it, and the GPU’s part against its own', () => {
    const gpus = [{ index: 0, name: '', totalBytes: 60 * GIB, usedBytes: 0 }];
    const host = machine(64, { gpus, unifiedMemory: true });
    const found = estimate([part('gpu', 48), part('host', 31)]);
    const verdict = judge(found, limitsOf(found, 'rocm', host, {}));
    // 48 + 31 = 79 GiB in a machine of 64, of which 48 may be used
    expect(verdict.kind).toBe('does-not-fit');
    expect(verdict.limits[0]).toMatchObject({ name: 'memory', requiredBytes: 79 * GIB, budget: { bytes: 48 * GIB } });
    expect(verdict.limits[1]).toMatchObject({ name: 'gpu', requiredBytes: 48 * GIB });
  });

  test.each([
    // 48 × 0.75 − 20 = 16 GiB at the most, 6 without anybody giving up anything
    [5, 'fits', undefined],
    [6, 'fits', undefined],
    [6.5, 'tight', 0.5],
    [15, 'tight', 9],
    [16.1, 'does-not-fit', undefined],
  ])('on %d GiB where others hold 10 GiB idle is %s', (need, kind, giveUpGib) => {
    const found = estimate([part('gpu', need)]);
    const host = machine(48, { inUseBytes: 20 * GIB, idleBytes: 10 * GIB });
    const verdict = judge(found, limitsOf(found, 'metal', host, {}));
    expect(verdict.kind).toBe(kind);
    const others = tightness(verdict.limits, []).find(({ reason }) => reason === 'others');
    const expected = { reason: 'others', giveUpBytes: (giveUpGib ?? 0) * GIB, idleBytes: 10 * GIB };
    expect(kind === 'does-not-fit' ? undefined : others).toEqual(giveUpGib === undefined ? undefined : expected);
  });

  test('is tight when what grows reaches into what others hold idle', () => {
    const growth: GrowthPart[] = [{ name: 'prompt-cache', of: 'model', device: 'host', maxBytes: 8 * GIB }];
    const found = estimate([part('gpu', 2)], growth);
    const host = machine(48, { inUseBytes: 20 * GIB, idleBytes: 10 * GIB });
    const verdict = judge(found, limitsOf(found, 'metal', host, {}));
    // 6 − 2 = 4 GiB are left for 8
    expect(tightness(verdict.limits, growth)).toEqual([
      { reason: 'growth', growth, overBytes: 4 * GIB, cacheRamMiB: 4096 },
    ]);
  });

  test('on the CPU counts everything once, against the memory alone', () => {
    const found = estimate([part('host', 9)]);
    const limits = limitsOf(found, 'cpu', machine(64, { gpuWiredLimitBytes: GIB }), {});
    expect(limits).toEqual([expect.objectContaining({ name: 'memory', requiredBytes: 9 * GIB })]);
  });

  test('never gets better when the budget shrinks', () => {
    const order = ['does-not-fit', 'tight', 'fits'];
    const gib = fc.double({ min: 0.1, max: 100, noNaN: true });
    fc.assert(
      fc.property(gib, gib, gib, (need, a, b) => {
        const [small, large] = a < b ? [a, b] : [b, a];
        const rank = (budget: number): number => order.indexOf(verdictOn([part('gpu', need)], budget).kind);
        return rank(small) <= rank(large);
      }),
    );
  });
});
