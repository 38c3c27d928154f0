import { describe, expect, test } from '@jest/globals';
import { findAccelerator, foundNote } from '../../../../src/lib/host/gpu/find-accelerator.js';
import { measureHost } from '../../../../src/lib/host/measure-host.js';
import type { Probe } from '../../../../src/lib/host/probe.js';

const GIB = 2 ** 30;
const DRM = '/sys/class/drm';
const ROCM_NODES = '/sys/class/kfd/kfd/topology/nodes';
const DISCRETE = '0x744c';
const INSIDE_A_PROCESSOR = '0x15bf';

interface Card {
  readonly device: string;
  readonly vramGib: number;
  readonly gttGib: number;
  readonly name?: string;
}

interface Machine {
  readonly cards: readonly Card[];
  readonly rocm?: boolean;
  readonly smi?: string;
  /** What lies in /dev. */
  readonly devices?: readonly string[];
  /** Whether there is an nvidia-smi, whatever it prints. */
  readonly hasSmi?: boolean;
}

/** A Linux machine as amdgpu describes its cards; `smi` is what nvidia-smi prints there, if it is there. */
function machine({ cards, rocm = false, smi, devices = [], hasSmi = false }: Machine): Probe {
  const files = new Map<string, string>(
    cards.flatMap(({ device, vramGib, gttGib, name }, index) =>
      Object.entries({
        vendor: '0x1002',
        device,
        product_name: name ?? '',
        mem_info_vram_total: String(vramGib * GIB),
        mem_info_vram_used: '0',
        mem_info_gtt_total: String(gttGib * GIB),
        mem_info_gtt_used: '0',
      }).map(([file, text]) => [`${DRM}/card${index}/device/${file}`, `${text}\n`] as const),
    ),
  );
  return {
    platform: 'linux',
    arch: 'x64',
    env: {},
    run: async (program, args) =>
      program === 'nvidia-smi' && args[0]?.startsWith('--query-gpu') === true ? smi : undefined,
    readText: async (path) => files.get(path),
    list: async (folder) => {
      if (folder === DRM) return ['version', ...cards.map((_, index) => `card${index}`)];
      if (folder === '/dev') return ['null', 'nvidiactl', ...devices];
      return folder === ROCM_NODES && rocm ? ['0', '1'] : [];
    },
    has: (program) => program === 'nvidia-smi' && hasSmi,
  };
}

const MEMINFO = 'MemTotal: 67108864 kB\nMemAvailable: 58720256 kB\n';
const RX_7900 = { device: DISCRETE, vramGib: 24, gttGib: 32, name: 'Radeon RX 7900 XTX' };

describe('the accelerator of a Linux machine with AMD graphics', () => {
  test("is ROCm where ROCm's driver lists its nodes, and the note names the card and the way out", async () => {
    const found = await findAccelerator(machine({ cards: [RX_7900], rocm: true }));
    expect(found).toEqual({ accelerator: 'rocm', gpus: ['Radeon RX 7900 XTX'], by: 'amdgpu' });
    expect(foundNote(found)).toBe(
      'Radeon RX 7900 XTX found (amdgpu), so the launch is for rocm; --accelerator cpu counts without',
    );
  });

  test('is Vulkan without ROCm', async () => {
    expect(await findAccelerator(machine({ cards: [RX_7900] }))).toMatchObject({ accelerator: 'vulkan', by: 'amdgpu' });
  });

  test('counts equal cards, also those whose driver has no name for them', async () => {
    const nameless = { ...RX_7900, name: '' };
    const found = await findAccelerator(machine({ cards: [nameless, nameless], rocm: true }));
    expect(foundNote(found)).toMatch(/^2 × AMD GPU found \(amdgpu\)/);
  });

  test('is the CPU where the GPU is inside the processor and borrows its memory', async () => {
    const card = { device: INSIDE_A_PROCESSOR, vramGib: 1, gttGib: 16 };
    const found = await findAccelerator(machine({ cards: [card], rocm: true }));
    expect(found).toEqual({ accelerator: 'cpu', gpus: [] });
    expect(foundNote(found)).toBeUndefined();
  });

  test('is the card of its own beside one inside the processor', async () => {
    const card = { device: INSIDE_A_PROCESSOR, vramGib: 1, gttGib: 16 };
    const found = await findAccelerator(machine({ cards: [card, RX_7900], rocm: true }));
    expect(found.gpus).toEqual(['Radeon RX 7900 XTX']);
  });

  test('is CUDA where there is an NVIDIA card, too', async () => {
    const smi = '24576, 1024, GPU-aaaa-1, Disabled, NVIDIA GeForce RTX 4090, 23552\n';
    const found = await findAccelerator(machine({ cards: [RX_7900], rocm: true, smi }));
    expect(found).toMatchObject({ accelerator: 'cuda', by: 'nvidia-smi' });
  });

  test('is said to leave out an NVIDIA card whose memory is not told', async () => {
    const smi = '24576, 1024, GPU-a, Disabled, RTX 4090, 23552\n[N/A], [N/A], GPU-b, [N/A], RTX 3060, [N/A]\n';
    const found = await findAccelerator(machine({ cards: [], smi }));
    expect(found).toMatchObject({ accelerator: 'cpu', gpus: [] });
    expect(foundNote(found)).toContain('nvidia-smi does not tell the memory of every GPU here');
  });

  test('is said to leave out what nvidia-smi does not tell of, as far as anything is seen of it', async () => {
    const without = await findAccelerator(machine({ cards: [], devices: ['nvidia0'] }));
    expect(without).toMatchObject({ accelerator: 'cpu', gpus: [] });
    expect(foundNote(without)).toBe(
      '/dev/nvidia0 is here, but nvidia-smi lists no GPU, so the launch is for cpu: for a GPU name it with --accelerator and --gpu-memory',
    );
    expect(foundNote(await findAccelerator(machine({ cards: [], hasSmi: true })))).toMatch(
      /^nvidia-smi is here, but lists no GPU, so the launch is for cpu/,
    );
    const beside = await findAccelerator(machine({ cards: [RX_7900], rocm: true, devices: ['nvidia1'] }));
    expect(beside).toMatchObject({ accelerator: 'rocm', by: 'amdgpu' });
    expect(foundNote(beside)).toMatch(/counts without; \/dev\/nvidia1 is here, but nvidia-smi lists no GPU$/);
    expect(foundNote(await findAccelerator(machine({ cards: [] })))).toBeUndefined();
  });

  test('is said to leave out a card that is divided, but into nothing that is known', async () => {
    const smi = '81920, 0, GPU-a, Enabled, NVIDIA H100 80GB HBM3, 81559\n';
    const found = await findAccelerator(machine({ cards: [], smi }));
    expect(found).toMatchObject({ accelerator: 'cpu', gpus: [] });
    expect(foundNote(found)).toContain('nvidia-smi does not tell the memory of every GPU here');
  });

  test('is said to leave out an AMD card whose memory is not told', async () => {
    const found = await findAccelerator(machine({ cards: [{ ...RX_7900, vramGib: Number.NaN }] }));
    expect(foundNote(found)).toContain('amdgpu does not tell the memory of every GPU here');
  });

  test('is CUDA also where the driver is too old to know of MIG, and refuses the question', async () => {
    const here = machine({ cards: [] });
    const asked: string[] = [];
    const run: Probe['run'] = async (program, [query = '']) => {
      asked.push(query);
      if (program !== 'nvidia-smi' || query.includes('mig.mode.current')) return undefined;
      return '24576, 1024, GPU-aaaa-1, Tesla P40, 23040\n';
    };
    expect(await findAccelerator({ ...here, run })).toMatchObject({ accelerator: 'cuda', gpus: ['Tesla P40'] });
    expect(asked).toEqual([
      '--query-gpu=memory.total,memory.used,uuid,mig.mode.current,name,memory.free',
      '--query-gpu=memory.total,memory.used,uuid,name,memory.free',
    ]);
    const host = await measureHost({ accelerator: 'cuda' }, { ...here, run, readText: async () => MEMINFO });
    expect(host.gpus).toEqual([
      { index: 0, name: 'Tesla P40', uuid: 'GPU-aaaa-1', totalBytes: 24 * GIB, usedBytes: 1.5 * GIB },
    ]);
  });
});
