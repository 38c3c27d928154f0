import { describe, expect, test } from '@jest/globals';
import { findAccelerator, foundNote } from '../../../../src/lib/host/gpu/find-accelerator.js';
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

/** A Linux machine as amdgpu describes its cards; `smi` is what nvidia-smi prints there, if it is there. */
function machine({ cards, rocm = false, smi }: { cards: readonly Card[]; rocm?: boolean; smi?: string }): Probe {
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
      return folder === ROCM_NODES && rocm ? ['0', '1'] : [];
    },
  };
}

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
});
