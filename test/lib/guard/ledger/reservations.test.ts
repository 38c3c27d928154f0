import { describe, expect, test } from '@jest/globals';
import type { LedgerEntry } from '../../../../src/lib/guard/ledger/ledger.js';
import { liveEntries, withReservations } from '../../../../src/lib/guard/ledger/reservations.js';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';

const GIB = 2 ** 30;

const host: HostMemory = { source: 'measured', totalBytes: 64 * GIB, inUseBytes: 20 * GIB, notes: [] };

/** 10 GiB, of which 7 are mapped weights. */
function entry(pid: number, extra: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    who: 'llama-server',
    pid,
    startedAt: 'boot+1',
    argvHash: '',
    requirement: { hostBytes: 10 * GIB, mappedBytes: 7 * GIB, gpuBytes: [] },
    decidedAt: '2026-11-01T00:00:00Z',
    state: 'promised',
    ...extra,
  };
}

const running = (pid: number, extra = {}) => ({ pid, startedAt: 'boot+1', ...extra });

describe('what is promised', () => {
  test('counts in full, and what its process holds already does not count twice', () => {
    const adjusted = withReservations(host, [entry(1)], [running(1, { anonymousBytes: 2 * GIB })]);
    expect(adjusted).toMatchObject({ inUseBytes: 18 * GIB, promisedBytes: 10 * GIB });
  });

  test('never hides what a process holds beyond its promise: a prompt cache of 8 GiB stays in use', () => {
    const adjusted = withReservations(host, [entry(1)], [running(1, { anonymousBytes: 11 * GIB })]);
    expect(adjusted).toMatchObject({ inUseBytes: 17 * GIB, promisedBytes: 10 * GIB });
  });

  test('counts once where its process has locked its weights, which are then in use', () => {
    const cgroups = [{ path: '/user.slice', limitBytes: 32 * GIB, inUseBytes: 9 * GIB }];
    const locking = running(1, { anonymousBytes: 2 * GIB, lockedBytes: 8 * GIB, cgroup: '/user.slice' });
    const adjusted = withReservations({ ...host, cgroups }, [entry(1)], [locking]);
    expect(adjusted).toMatchObject({ inUseBytes: 11 * GIB, promisedBytes: 10 * GIB });
    // Pages of a file may count in the group of whoever read it first.
    expect(adjusted.cgroups?.[0]?.inUseBytes).toBe(7 * GIB);
  });

  test('of a process that cannot be looked at is added to everything in use', () => {
    expect(withReservations(host, [entry(1)], [running(1)])).toMatchObject({
      inUseBytes: 20 * GIB,
      promisedBytes: 10 * GIB,
    });
  });

  test('is free where its process is about to end, and so is what that holds of it, but not more', () => {
    const gpus = [
      { index: 0, name: '', totalBytes: 24 * GIB, usedBytes: 9 * GIB, heldBy: [{ pid: 1, bytes: 8 * GIB }] },
    ];
    const requirement = { hostBytes: 10 * GIB, mappedBytes: 7 * GIB, gpuBytes: [6 * GIB] };
    const entries = [entry(1, { who: 'old', requirement }), entry(2)];
    const processes = [running(1, { anonymousBytes: 4 * GIB }), running(2, { anonymousBytes: 1 * GIB })];
    const adjusted = withReservations({ ...host, gpus }, entries, processes, 'old');
    expect(adjusted).toMatchObject({ inUseBytes: 16 * GIB, promisedBytes: 10 * GIB });
    expect(adjusted.gpus).toMatchObject([{ usedBytes: 3 * GIB, promisedBytes: 0 }]);
  });

  test('ends with its process, also when another one has got its number', () => {
    const reused = running(1, { startedAt: 'boot+2' });
    expect(liveEntries([entry(1), entry(2)], [reused])).toEqual([]);
    expect(withReservations(host, [entry(1), entry(2)], [reused])).toEqual(host);
  });

  test('counts in a cgroup only for processes inside it, or whose group nobody can tell', () => {
    const cgroups = [{ path: '/user.slice', limitBytes: 32 * GIB, inUseBytes: 4 * GIB }];
    const processes = [
      running(1, { cgroup: '/user.slice/a', anonymousBytes: 3 * GIB }),
      running(2, { cgroup: '/user.slice-2', anonymousBytes: 3 * GIB }),
      running(3, { anonymousBytes: 3 * GIB }),
    ];
    const adjusted = withReservations({ ...host, cgroups }, [entry(1), entry(2), entry(3)], processes);
    expect(adjusted).toMatchObject({ inUseBytes: 11 * GIB, promisedBytes: 30 * GIB });
    expect(adjusted.cgroups).toEqual([{ ...cgroups[0], inUseBytes: GIB, promisedBytes: 20 * GIB }]);
  });
});

describe('what the GPU of a Mac has wired', () => {
  const onMetal = (state: LedgerEntry['state']): LedgerEntry =>
    entry(1, { state, requirement: { hostBytes: 10 * GIB, mappedBytes: 7 * GIB, gpuBytes: [9 * GIB] } });
  const mac: HostMemory = { ...host, gpuWired: { allocatedBytes: 12 * GIB, inUseBytes: 11 * GIB } };

  test('is others’ as far as it is allocated beyond what is resident: 3 of 12 GiB', () => {
    const { gpuWired, inUseBytes } = withReservations(mac, [onMetal('resident')], [running(1)]);
    expect(gpuWired).toEqual({ allocatedBytes: 12 * GIB, inUseBytes: 3 * GIB, promisedBytes: 9 * GIB });
    // 8 of the 11 GiB that are wired are the promised process's own.
    expect(inUseBytes).toBe(12 * GIB);
  });

  test('is all others’ while the promised process may still be loading', () => {
    const { gpuWired, inUseBytes } = withReservations(mac, [onMetal('promised')], [running(1)]);
    expect(gpuWired).toMatchObject({ inUseBytes: 11 * GIB, promisedBytes: 9 * GIB });
    expect(inUseBytes).toBe(20 * GIB);
  });
});

describe('an entry that contradicts itself', () => {
  test.each([
    ['more is mapped than there is', { hostBytes: GIB, mappedBytes: 7 * GIB, gpuBytes: [] }],
    ['the GPU holds more than there is', { hostBytes: GIB, mappedBytes: 0, gpuBytes: [9 * GIB] }],
  ])('takes no more out of what is in use than it is counted for: %s', (_, requirement) => {
    const mac: HostMemory = { ...host, gpuWired: { allocatedBytes: 12 * GIB, inUseBytes: 11 * GIB } };
    const process = running(1, { anonymousBytes: 2 * GIB, lockedBytes: 7 * GIB });
    const adjusted = withReservations(mac, [entry(1, { state: 'resident', requirement })], [process]);
    expect(adjusted).toMatchObject({ inUseBytes: 19 * GIB, promisedBytes: GIB });
  });

  test('of which more is wired than allocated takes out what was promised on the GPU', () => {
    const mac: HostMemory = { ...host, gpuWired: { allocatedBytes: 2 * GIB, inUseBytes: 11 * GIB } };
    const requirement = { hostBytes: 10 * GIB, mappedBytes: 0, gpuBytes: [9 * GIB] };
    const { gpuWired } = withReservations(mac, [entry(1, { state: 'resident', requirement })], [running(1)]);
    expect(gpuWired).toMatchObject({ inUseBytes: 2 * GIB, promisedBytes: 9 * GIB });
  });
});

describe('GPUs with memory of their own', () => {
  const requirement = { hostBytes: GIB, mappedBytes: 0, gpuBytes: [9 * GIB, 5 * GIB] };
  const promise = entry(1, { requirement });
  const gpu = (index: number, more = {}) => ({ index, name: '', totalBytes: 24 * GIB, usedBytes: 10 * GIB, ...more });
  const figures = (gpus: HostMemory['gpus'], entries: readonly LedgerEntry[]) =>
    withReservations({ ...host, gpus: gpus ?? [] }, entries, [running(1)]).gpus?.map((one) => [
      one.usedBytes / GIB,
      (one.promisedBytes ?? 0) / GIB,
    ]);

  test('leave out what the promised process holds on each, as far as it was promised', () => {
    const other = { pid: 2, bytes: GIB };
    const gpus = [
      gpu(0, { heldBy: [{ pid: 1, bytes: 8 * GIB }, other] }),
      gpu(1, { heldBy: [other, { pid: 1, bytes: 7 * GIB }] }),
    ];
    expect(figures(gpus, [promise])).toEqual([
      [2, 9],
      [5, 5],
    ]);
  });

  test('leave nothing out where nobody says who holds what, as in a container', () => {
    expect(figures([gpu(0), gpu(1, { heldBy: [] })], [promise])).toEqual([
      [10, 9],
      [10, 5],
    ]);
  });

  test('are told by name where a process sees others: a promise on the second stays there when only that one is visible', () => {
    const named = entry(1, { requirement: { ...requirement, gpuIds: ['GPU-a', 'GPU-b'] } });
    expect(figures([gpu(0, { uuid: 'GPU-b' })], [named])).toEqual([[10, 5]]);
    expect(figures([gpu(0, { uuid: 'GPU-c' })], [named])).toEqual([[10, 0]]);
  });
});
