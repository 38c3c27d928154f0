import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EstimatePart, GrowthPart, MemoryEstimate } from '../../../src/lib/estimate/memory-estimate.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';
import { judge, limitsOf } from '../../../src/lib/preflight/judge.js';
import { tightness } from '../../../src/lib/preflight/tightness.js';

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
    expect(tightness(verdict.limits, growth)).toEqual([{ reason: 'growth', growth, overBytes: GIB }]);
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
    const host = machine(64, { gpuMemory: { totalBytes: 24 * GIB, inUseBytes: GIB } });
    const found = estimate([part('gpu', 20), part('host', 2)]);
    const [first, second] = judge(found, limitsOf(found, 'cuda', host, {})).limits;
    // 64 × 0.75 − 2 = 46 GiB of headroom on the host, 23 − 20 = 3 on the GPU
    expect(first).toMatchObject({ name: 'gpu', requiredBytes: 20 * GIB, budget: { bytes: 23 * GIB } });
    expect(second).toMatchObject({ name: 'memory', requiredBytes: 2 * GIB, budget: { bytes: 48 * GIB } });
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
