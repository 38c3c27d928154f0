import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetNotes, defaultFraction, gpuBudget, memoryBudget } from '../../../src/lib/budget/budget-policy.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';

const GIB = 2 ** 30;
const host = (totalGib: number, inUseGib: number, more: Partial<HostMemory> = {}): HostMemory => ({
  source: 'measured',
  totalBytes: totalGib * GIB,
  inUseBytes: inUseGib * GIB,
  notes: [],
  ...more,
});

describe('the share of the memory that may be used', () => {
  test.each([
    [8, 0.67],
    [32, 0.67],
    [36, 0.67],
    [36.5, 0.75],
    [48, 0.75],
    [512, 0.75],
  ])('of %d GB is %d', (gigabytes, fraction) => {
    expect(defaultFraction(gigabytes * GIB)).toBe(fraction);
  });
});

describe('the memory budget', () => {
  test('is total × fraction − in use', () => {
    // 32 × 0.67 = 21.44 GiB; less 3.4 = 18.04 GiB
    const budget = memoryBudget(host(32, 3.4), {});
    expect(budget).toMatchObject({ kind: 'fraction', fraction: 0.67, totalBytes: 32 * GIB });
    expect(budget.bytes / GIB).toBeCloseTo(18.04, 6);
  });

  test('takes a given fraction', () => {
    expect(memoryBudget(host(32, 0), { fraction: 1 }).bytes).toBe(32 * GIB);
  });

  test.each([0, -0.1, 1.01, Number.NaN])('refuses the fraction %d', (fraction) => {
    expect(() => memoryBudget(host(32, 0), { fraction })).toThrow('above 0 and at most 1');
  });

  test('is in whole bytes, and never more than the fraction', () => {
    // 25769803776 × 0.67 = 17265768529.92
    expect(memoryBudget(host(24, 0), {}).bytes).toBe(17_265_768_529);
  });

  test('leaves out all that is in use, idle or not, where it is not known what was promised', () => {
    // 10 − 3 in use − 1 that others do not touch
    const unknown = host(32, 3, { idleBytes: GIB, promisesUnknown: true });
    const absolute = { kind: 'absolute', bytes: 6 * GIB, inUseBytes: 4 * GIB };
    expect(memoryBudget(unknown, { absoluteBytes: 10 * GIB })).toEqual(absolute);
  });

  test('is what was given when it is absolute, whatever is in use', () => {
    expect(memoryBudget(host(32, 30), { absoluteBytes: 5 })).toEqual({ kind: 'absolute', bytes: 5 });
  });

  test('is negative when more is in use than the fraction leaves', () => {
    expect(memoryBudget(host(10, 9), {}).bytes).toBeLessThan(0);
  });

  test('leaves out what is promised to others', () => {
    // 32 × 0.5 − 3 in use − 10 promised
    const budget = memoryBudget(host(32, 3, { promisedBytes: 10 * GIB }), { fraction: 0.5 });
    expect(budget).toMatchObject({ bytes: 3 * GIB, promisedBytes: 10 * GIB });
    const absolute = memoryBudget(host(32, 3, { promisedBytes: 10 * GIB }), { absoluteBytes: 12 * GIB });
    expect(absolute).toEqual({ kind: 'absolute', bytes: 2 * GIB, promisedBytes: 10 * GIB });
  });

  test('is the cgroup’s when that leaves less', () => {
    const limited = host(64, 40, { cgroups: [{ limitBytes: 20 * GIB, inUseBytes: 10 * GIB }] });
    // machine 64 × 0.75 − 40 = 8; cgroup 20 × 0.67 − 10 = 3.4
    const budget = memoryBudget(limited, {});
    expect(budget).toMatchObject({ scope: 'cgroup' });
    expect(budget.bytes / GIB).toBeCloseTo(3.4, 6);
  });

  test('is the machine’s when a cgroup has more room than the machine', () => {
    const limited = host(64, 40, { cgroups: [{ limitBytes: 20 * GIB, inUseBytes: 0 }] });
    const budget = memoryBudget(limited, {});
    expect(budget).not.toHaveProperty('scope');
    expect(budget.bytes).toBe(8 * GIB);
  });

  test('never grows with what is in use', () => {
    const gib = fc.double({ min: 1, max: 512, noNaN: true });
    fc.assert(
      fc.property(gib, gib, gib, (total, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        return memoryBudget(host(total, more), {}).bytes <= memoryBudget(host(total, less), {}).bytes;
      }),
    );
  });
});

describe('whoever said a budget', () => {
  test('is named with it, but not with the share that holds where nobody said one', () => {
    const from = 'LLMKUBE_MEMORY_FRACTION';
    expect(memoryBudget(host(32, 0), { fraction: 0.5, from })).toMatchObject({ bytes: 16 * GIB, from });
    expect(memoryBudget(host(32, 0), { absoluteBytes: GIB, from })).toMatchObject({ kind: 'absolute', from });
    expect(memoryBudget(host(32, 0), { from })).not.toHaveProperty('from');
  });
});

describe('a budget that the machine does not have', () => {
  const limited = host(32, 0, {
    cgroups: [
      { limitBytes: 24 * GIB, inUseBytes: 0 },
      { limitBytes: 16 * GIB, inUseBytes: 0 },
    ],
  });

  test.each([
    [16, []],
    [17, ['--memory-budget is more than all the memory that its cgroup may have']],
    [40, ['--memory-budget is more than all the memory that its cgroup may have']],
  ])('of %d GiB on 32 with cgroups of 24 and 16 is noted once, by the least of all that it exceeds', (gib, notes) => {
    expect(budgetNotes(limited, { absoluteBytes: gib * GIB })).toEqual(notes);
  });

  test('is noted by the machine where no cgroup is less, and by who said it', () => {
    expect(budgetNotes(host(32, 0), { absoluteBytes: 33 * GIB, from: 'spec.memoryBudget' })).toEqual([
      'spec.memoryBudget is more than all the memory that the machine has',
    ]);
    expect(budgetNotes(host(32, 0), { fraction: 1 })).toEqual([]);
  });
});

describe('the GPU budget', () => {
  test('is a discrete GPU’s memory less what is in use there', () => {
    const gpus = [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: GIB }];
    expect(gpuBudget(host(64, 0, { gpus }))).toMatchObject({ kind: 'gpu-memory', bytes: 23 * GIB });
  });

  test('leaves out what is promised to others on the same GPU', () => {
    const gpus = [{ index: 0, name: '', totalBytes: 24 * GIB, usedBytes: GIB, promisedBytes: 9 * GIB }];
    expect(gpuBudget(host(64, 0, { gpus }))).toMatchObject({ bytes: 14 * GIB, promisedBytes: 9 * GIB });
    const gpuWired = { allocatedBytes: 12 * GIB, inUseBytes: 3 * GIB, promisedBytes: 9 * GIB };
    expect(gpuBudget(host(64, 0, { gpuWiredLimitBytes: 48 * GIB, gpuWired }))).toMatchObject({ bytes: 36 * GIB });
  });

  test('is what Metal may wire on a Mac', () => {
    expect(gpuBudget(host(64, 0, { gpuWiredLimitBytes: 48 * GIB }))).toEqual({ kind: 'gpu-wired', bytes: 48 * GIB });
  });

  test('does not exist without a GPU', () => {
    expect(gpuBudget(host(64, 0))).toBeUndefined();
  });
});
