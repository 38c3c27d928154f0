import { describe, expect, test } from '@jest/globals';
import { onMachine } from '../../../../src/lib/preflight/judge/on-machine.js';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import type { Accelerator } from '../../../../src/lib/runtime/launch-options.js';

const MIB = 2 ** 20;
const host = (usedMib: number): HostMemory => ({
  totalBytes: 131072 * MIB,
  inUseBytes: 0,
  source: 'measured',
  cgroups: [],
  notes: [],
  gpus: [{ index: 0, name: 'NVIDIA H100 80GB HBM3', totalBytes: 81559 * MIB, usedBytes: usedMib * MIB }],
});
const free = (accelerator: Accelerator, usedMib: number): number | undefined => {
  const [gpu] = onMachine({ accelerator, cpuArch: 'x86' }, host(usedMib)).gpuMemory ?? [];
  return gpu && gpu.freeBytes / MIB;
};

describe('what llama-server is told to be free on a GPU', () => {
  test('is less what the driver has taken by then: of an H100 of which 480 MiB are kept from all, 80555 MiB, as it says itself', () => {
    expect(free('cuda', 480)).toBe(81559 - 480 - 524);
  });

  test('is nothing where that is more than there is, and all where nothing is known of the driver', () => {
    expect(free('cuda', 81300)).toBe(0);
    expect(free('vulkan', 480)).toBe(81559 - 480);
  });
});

describe('a launch on a machine', () => {
  const { gpus = [] } = host(480);
  const two: HostMemory = { ...host(480), gpus: [...gpus, ...gpus] };

  test('has the GPUs of the machine, which share its memory where they do, unless it says otherwise itself', () => {
    expect(onMachine({ accelerator: 'cuda' }, two)).toMatchObject({ gpus: 2, gpuMemory: [{}, {}] });
    expect(onMachine({ accelerator: 'cuda' }, two)).not.toHaveProperty('unifiedMemory');
    expect(onMachine({ accelerator: 'cuda' }, { ...two, unifiedMemory: true })).toMatchObject({ unifiedMemory: true });
    expect(onMachine({ accelerator: 'cuda', gpus: 1 }, two)).toMatchObject({ gpus: 1 });
  });

  test('has none where none is known, nor with Metal or on the CPU', () => {
    const without: HostMemory = { source: 'measured', totalBytes: 131072 * MIB, inUseBytes: 0, notes: [] };
    expect(onMachine({ accelerator: 'cuda' }, without)).toEqual({ accelerator: 'cuda' });
    for (const accelerator of ['metal', 'cpu'] as const) {
      expect(onMachine({ accelerator }, { ...two, unifiedMemory: true })).toEqual({ accelerator });
    }
  });
});
