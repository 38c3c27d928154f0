import { expect, test } from '@jest/globals';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import { sharedMemoryNote } from '../../../../src/lib/preflight/judge/shared-memory.js';
import type { CompletedVerdict } from '../../../../src/lib/preflight/judge/verdict.js';

const GIB = 2 ** 30;
const verdict = (kind: CompletedVerdict['kind']) => ({ kind }) as CompletedVerdict;

/** 64 GiB, and a GPU of which somebody has said how much it has, or that was measured and has a name. */
const machine = (gpuGib: number, name = ''): HostMemory => ({
  ...{ source: 'given', totalBytes: 64 * GIB, inUseBytes: 0, notes: [] },
  gpus: [{ index: 0, name, totalBytes: gpuGib * GIB, usedBytes: 0 }],
});
const note = (host: HostMemory, shared: CompletedVerdict['kind'] = 'does-not-fit') =>
  sharedMemoryNote(verdict('fits'), host, () => verdict(shared));

test('a GPU is asked about as part of the machine’s memory where it has more than three quarters of that', () => {
  expect([note(machine(48)), note(machine(49))]).toEqual([undefined, expect.stringContaining('it does not fit')]);
});

test('nothing is said of a GPU that was measured, or where one memory is enough', () => {
  expect(note(machine(64, 'NVIDIA RTX 6000'))).toBeUndefined();
  expect(note(machine(64), 'fits')).toBeUndefined();
});

test('nothing is said of GPUs of unequal size, which are cards with memory of their own', () => {
  const withSecond = (gpuGib: number): HostMemory => ({
    ...machine(40),
    gpus: [...(machine(40).gpus ?? []), { index: 1, name: '', totalBytes: gpuGib * GIB, usedBytes: 0 }],
  });
  expect(note(withSecond(24))).toBeUndefined();
  expect(note(withSecond(40))).toContain('it does not fit');
});
