import { describe, expect, test } from '@jest/globals';
import { defaultAccelerator, measureHost } from '../../../src/lib/host/measure-host.js';
import type { Probe } from '../../../src/lib/host/probe.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

const linux = (answers: Record<string, string> = {}): Probe => ({
  platform: 'linux',
  arch: 'x64',
  run: async (program) => answers[program],
  readText: async (path) =>
    path === '/proc/meminfo' ? 'MemTotal: 33554432 kB\nMemAvailable: 25165824 kB\n' : undefined,
});

describe('the machine that a check is for', () => {
  test('is this one when nothing else is said', async () => {
    const host = await measureHost({ accelerator: 'cpu' }, linux());
    expect(host).toMatchObject({ source: 'measured', totalBytes: 32 * GIB, inUseBytes: 8 * GIB });
  });

  test('is the one that is given, and what is in use there counts as 0 unless it is said', async () => {
    const host = await measureHost({ accelerator: 'cpu', systemMemoryBytes: 64 * GIB }, linux());
    expect(host).toMatchObject({ source: 'given', totalBytes: 64 * GIB, inUseBytes: 0 });
    expect(host.notes).toEqual(['--in-use was not given: counted as 0']);
  });

  test('is not described by what a budget makes meaningless, and that is said', async () => {
    const request = { accelerator: 'cpu', systemMemoryBytes: 64 * GIB, inUseBytes: GIB, budgetBytes: GIB } as const;
    expect((await measureHost(request, linux())).notes).toEqual([
      '--in-use says nothing beside --memory-budget',
      '--system-memory says nothing beside --memory-budget',
    ]);
    const less = { ...request, inUseBytes: undefined };
    expect((await measureHost(less, linux())).notes.join()).not.toContain('--in-use');
  });

  test('does not have more in use than there is', async () => {
    const request = { accelerator: 'cpu', systemMemoryBytes: 8 * GIB, inUseBytes: 9 * GIB } as const;
    await expect(measureHost(request, linux())).rejects.toMatchObject({ code: 'INVALID_QUANTITY', exitCode: 2 });
  });

  test('wires what its owner is about to allow', async () => {
    const request = { accelerator: 'metal', systemMemoryBytes: 32 * GIB, gpuWiredLimitBytes: 28 * GIB } as const;
    expect((await measureHost(request, linux())).gpuWiredLimitBytes).toBe(28 * GIB);
  });

  test.each([
    [40, ['--gpu-wired-limit is more than all the memory that the machine has']],
    [32, []],
  ])('of 32 GB has a note on what its GPU may wire only where that is more: %i GB', async (gigabytes, notes) => {
    const given = { accelerator: 'metal', inUseBytes: 0, gpuWiredLimitBytes: gigabytes * GIB } as const;
    expect((await measureHost({ ...given, systemMemoryBytes: 32 * GIB }, linux())).notes).toEqual(notes);
    const budgetOnly = await measureHost({ ...given, budgetBytes: 20 * GIB }, linux());
    expect(budgetOnly.notes.join()).not.toContain('more than all');
  });

  test('has one pool of memory where that is said, whether the size of its GPU is or not', async () => {
    const request = { accelerator: 'cuda', unifiedMemory: true, systemMemoryBytes: 64 * GIB, inUseBytes: 0 } as const;
    const host = await measureHost(request, linux());
    expect(host).toMatchObject({ unifiedMemory: true, totalBytes: 64 * GIB });
    expect(host.gpus).toBeUndefined();
    expect(await measureHost({ ...request, gpuMemoryBytes: 48 * GIB }, linux())).toMatchObject({
      unifiedMemory: true,
      gpus: [{ totalBytes: 48 * GIB }],
    });
  });

  test('has no note when everything is given', async () => {
    const request = { accelerator: 'cpu', systemMemoryBytes: 64 * GIB, inUseBytes: GIB } as const;
    expect((await measureHost(request, linux())).notes).toEqual([]);
  });

  test('is unknown for Metal away from a Mac', async () => {
    const measuring = measureHost({ accelerator: 'metal' }, linux());
    await expect(measuring).rejects.toMatchObject({ code: 'MACHINE_UNKNOWN', exitCode: 3 });
  });

  test('may stay unknown for Metal when the budget is absolute, but that is said', async () => {
    const host = await measureHost({ accelerator: 'metal', budgetBytes: GIB }, linux());
    expect(host).not.toHaveProperty('gpuWiredLimitBytes');
    expect(host.notes.join()).toContain('was not checked');
  });

  test('given for Metal has the wired limit of a Mac of that size', async () => {
    const host = await measureHost({ accelerator: 'metal', systemMemoryBytes: 32 * GIB, inUseBytes: 0 }, linux());
    expect(host.gpuWiredLimitBytes).toBe(21_845 * MIB);
  });

  test('cannot be measured on other systems', async () => {
    const windows: Probe = { ...linux(), platform: 'win32' };
    await expect(measureHost({ accelerator: 'cpu' }, windows)).rejects.toMatchObject({ code: 'MACHINE_UNKNOWN' });
  });
});

describe('a discrete GPU', () => {
  test('has the memory that is given', async () => {
    const host = await measureHost({ accelerator: 'cuda', gpuMemoryBytes: 24 * GIB }, linux());
    expect(host.gpus?.[0]).toMatchObject({ totalBytes: 24 * GIB, usedBytes: 0 });
  });

  test('is one of several of one size, or each has a size of its own', async () => {
    const alike = await measureHost({ accelerator: 'cuda', gpuMemoryBytes: [24 * GIB], gpus: 2 }, linux());
    expect(alike.gpus?.map(({ totalBytes }) => totalBytes)).toEqual([24 * GIB, 24 * GIB]);
    const unlike = await measureHost({ accelerator: 'cuda', gpuMemoryBytes: [24 * GIB, 16 * GIB] }, linux());
    expect(unlike.gpus?.map(({ totalBytes }) => totalBytes)).toEqual([24 * GIB, 16 * GIB]);
    const contradicting = { accelerator: 'cuda', gpuMemoryBytes: [24 * GIB, 16 * GIB], gpus: 3 } as const;
    await expect(measureHost(contradicting, linux())).rejects.toMatchObject({ code: 'CONTRADICTION' });
  });

  test('is measured by nvidia-smi, each of several', async () => {
    const host = await measureHost(
      { accelerator: 'cuda' },
      linux({ 'nvidia-smi': '24576, 1024, , , , 23552\n24576, 0, , , , 24576\n' }),
    );
    expect(host.gpus).toMatchObject([
      { index: 0, totalBytes: 24_576 * MIB, usedBytes: 1024 * MIB },
      { index: 1, totalBytes: 24_576 * MIB, usedBytes: 0 },
    ]);
    expect(host.notes).toEqual([]);
  });

  test('that nobody can measure makes the check incomplete', async () => {
    const measuring = measureHost({ accelerator: 'rocm' }, linux());
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN', exitCode: 3 });
  });

  test('of another machine is not measured on this one', async () => {
    const request = { accelerator: 'cuda', systemMemoryBytes: 64 * GIB } as const;
    const measuring = measureHost(request, linux({ 'nvidia-smi': '24576, 0\n' }));
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });
});

test('the accelerator is metal on Apple silicon, else cpu', () => {
  expect(defaultAccelerator({ platform: 'darwin', arch: 'arm64' })).toBe('metal');
  expect(defaultAccelerator({ platform: 'darwin', arch: 'x64' })).toBe('cpu');
  expect(defaultAccelerator({ platform: 'linux', arch: 'arm64' })).toBe('cpu');
});
