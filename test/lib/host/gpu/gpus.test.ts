import { describe, expect, test } from '@jest/globals';
import { measureHost } from '../../../../src/lib/host/measure-host.js';
import type { Probe } from '../../../../src/lib/host/probe.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

interface Machine {
  readonly smi?: string;
  /** Of `--query-compute-apps`. */
  readonly apps?: string;
  readonly list?: string;
  readonly details?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

function machine({ smi, apps, list, details, files = {}, env = {} }: Machine): Probe {
  const cards = [...new Set(Object.keys(files).flatMap((path) => /drm\/(card\d+)\//.exec(path)?.[1] ?? []))];
  return {
    platform: 'linux',
    arch: 'x64',
    env,
    run: async (program, args) => {
      if (program !== 'nvidia-smi') return undefined;
      if (args[0]?.startsWith('--query-compute-apps')) return apps;
      return args[0] === '-L' ? list : args[0] === '-q' ? details : smi;
    },
    readText: async (path) =>
      path === '/proc/meminfo' ? 'MemTotal: 67108864 kB\nMemAvailable: 58720256 kB\n' : files[path],
    list: async (folder) => (folder === '/sys/class/drm' ? [...cards, 'version', 'card0-DP-1'] : []),
  };
}

const measured = async (accelerator: 'cuda' | 'rocm' | 'vulkan' | 'intel', on: Machine) =>
  measureHost({ accelerator }, machine(on));
const sizes = async (accelerator: 'cuda' | 'rocm' | 'vulkan', on: Machine) =>
  (await measured(accelerator, on)).gpus?.map(({ totalBytes }) => totalBytes / MIB);

const LARGE = '24576, 1024, GPU-aaaa-1, Disabled, NVIDIA GeForce RTX 4090, 23552';
const SMALL = '8192, 300, GPU-bbbb-2, Disabled, NVIDIA GeForce RTX 3070, 7892';
const amd = (
  card: number,
  { vram, gtt = 32, device = '0x744c', unique = '' }: { vram: number; gtt?: number; device?: string; unique?: string },
) =>
  Object.fromEntries(
    Object.entries({
      vendor: '0x1002\n',
      device: `${device}\n`,
      unique_id: unique,
      mem_info_vram_total: String(vram * GIB),
      mem_info_vram_used: String(GIB / 4),
      mem_info_gtt_total: String(gtt * GIB),
      mem_info_gtt_used: String(GIB / 8),
    }).map(([file, text]) => [`/sys/class/drm/card${card}/device/${file}`, text]),
  );

describe('the GPUs of an NVIDIA machine', () => {
  test('are all that nvidia-smi lists, with their names', async () => {
    expect((await measured('cuda', { smi: `${LARGE}\n${SMALL}\n` })).gpus).toEqual([
      { index: 0, name: 'NVIDIA GeForce RTX 4090', uuid: 'GPU-aaaa-1', totalBytes: 24 * GIB, usedBytes: GIB },
      { index: 1, name: 'NVIDIA GeForce RTX 3070', uuid: 'GPU-bbbb-2', totalBytes: 8 * GIB, usedBytes: 300 * MIB },
    ]);
  });

  test('leave out what the driver keeps for itself, which is neither used nor free', async () => {
    const smi = '81559, 0, GPU-e, Disabled, NVIDIA H100 80GB HBM3, 81079\n';
    expect((await measured('cuda', { smi })).gpus).toMatchObject([{ totalBytes: 81559 * MIB, usedBytes: 480 * MIB }]);
    expect((await measured('cuda', { smi: smi.replace(', 81079', '') })).gpus).toMatchObject([
      { usedBytes: 512 * MIB },
    ]);
    // What is used counts where more is said to be free than that leaves.
    expect((await measured('cuda', { smi: smi.replace(', 0,', ', 900,') })).gpus).toMatchObject([
      { usedBytes: 900 * MIB },
    ]);
    const unknown = measured('cuda', { smi: smi.replace('81079', '[N/A]') });
    await expect(unknown).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });

  test('say what the processes of the ledger hold on each, and nothing of others or of what nvidia-smi cannot tell', async () => {
    const apps = 'GPU-bbbb-2, 77, 250\nGPU-aaaa-1, 41, 700\nGPU-aaaa-1, 42, [N/A]\nGPU-aaaa-1, 43, 100\n';
    const request = { accelerator: 'cuda', ledgered: [41, 42, 77] } as const;
    const { gpus } = await measureHost(request, machine({ smi: `${LARGE}\n${SMALL}\n`, apps }));
    expect(gpus?.map(({ heldBy }) => heldBy)).toEqual([
      [{ pid: 41, bytes: 700 * MIB }],
      [{ pid: 77, bytes: 250 * MIB }],
    ]);
  });

  test.each([
    ['1', [8192]],
    ['1,0', [8192, 24576]],
    ['GPU-bbbb', [8192]],
    ['GPU-', [24576]],
    ['gpu-AAAA-1,1', [24576, 8192]],
    // what follows a word that names no device is not seen
    ['0,7,1', [24576]],
  ])('are those that CUDA_VISIBLE_DEVICES=%s leaves', async (list, expected) => {
    const env = { CUDA_VISIBLE_DEVICES: list, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
    expect(await sizes('cuda', { smi: `${LARGE}\n${SMALL}\n`, env })).toEqual(expected);
  });

  // That none is left where one is named twice is how PyTorch reads the variable, too.
  test.each(['', '-1', 'NoDevFiles', '0,0'])('are none with CUDA_VISIBLE_DEVICES="%s"', async (list) => {
    const measuring = measured('cuda', { smi: LARGE, env: { CUDA_VISIBLE_DEVICES: list } });
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN', exitCode: 3 });
    await expect(measuring).rejects.toThrow('CUDA_VISIBLE_DEVICES hides every GPU');
  });

  test('are the smaller choice where CUDA’s order is not that of nvidia-smi', async () => {
    for (const list of ['0', '1']) {
      const host = await measured('cuda', { smi: `${SMALL}\n${LARGE}\n`, env: { CUDA_VISIBLE_DEVICES: list } });
      expect(host.gpus?.map(({ totalBytes }) => totalBytes / GIB)).toEqual([8]);
      expect(host.notes.join()).toContain('CUDA_DEVICE_ORDER=PCI_BUS_ID');
    }
  });

  test.each(['[N/A]', '[Insufficient Permissions]', '[GPU is lost]', '0'])(
    'are not known where nvidia-smi says %s',
    async (total) => {
      const measuring = measured('cuda', { smi: `${total}, [N/A], GPU-c, [N/A], NVIDIA A10\n` });
      await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
    },
  );

  test('are not known where more are listed than any machine has', async () => {
    const measuring = measured('cuda', { smi: `${LARGE}\n`.repeat(65) });
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });

  test('share the machine’s memory on a GB10, which has no other', async () => {
    const host = await measured('cuda', { smi: '[N/A], [N/A], GPU-d, [N/A], NVIDIA GB10\n' });
    expect(host.unifiedMemory).toBe(true);
    expect(host.gpus).toMatchObject([{ name: 'NVIDIA GB10', totalBytes: 64 * GIB }]);
  });
});

describe('a GPU that is divided', () => {
  const on = {
    smi: '40960, 0, GPU-a100, Enabled, NVIDIA A100-SXM4-40GB\n',
    list: `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a100)
  MIG 3g.20gb     Device  0: (UUID: MIG-1111)
  MIG 1g.5gb      Device  1: (UUID: MIG-2222)
`,
  };
  const details = `<nvidia_smi_log><gpu id="00000000:01:00.0"><fb_memory_usage><total>40960 MiB</total></fb_memory_usage>
<mig_devices><mig_device><index>0</index><fb_memory_usage><total>19968 MiB</total><used>37 MiB</used></fb_memory_usage></mig_device>
<mig_device><index>1</index><fb_memory_usage><total>4864 MiB</total><used>12 MiB</used></fb_memory_usage></mig_device></mig_devices></gpu></nvidia_smi_log>`;

  test('is the device that CUDA_VISIBLE_DEVICES names', async () => {
    const env = { CUDA_VISIBLE_DEVICES: 'MIG-2222' };
    expect(await sizes('cuda', { ...on, details, env })).toEqual([4864]);
  });

  test('is counted without what the driver keeps of the device', async () => {
    const reserved = details.replace(
      '<used>12 MiB</used>',
      '<reserved>30 MiB</reserved><used>12 MiB</used><free>4822 MiB</free>',
    );
    const env = { CUDA_VISIBLE_DEVICES: 'MIG-2222' };
    expect((await measured('cuda', { ...on, details: reserved, env })).gpus).toMatchObject([{ usedBytes: 42 * MIB }]);
    const unknown = measured('cuda', { ...on, details: reserved.replace('4822 MiB', '[N/A]'), env });
    await expect(unknown).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });

  test('is its first device where none is named', async () => {
    expect(await sizes('cuda', { ...on, details })).toEqual([19968]);
  });

  test.each([
    ['', 'nothing of it'],
    [details.replace('12 MiB', '[N/A]'), 'not what is in use on it'],
    [details.replace('4864 MiB', '-1 MiB'), 'no size of it'],
  ])('is not guessed at where nvidia-smi says %#', async (said) => {
    const measuring = measured('cuda', { ...on, details: said, env: { CUDA_VISIBLE_DEVICES: 'MIG-2222' } });
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN', exitCode: 3 });
  });

  test('is none that a program could have where none of its devices is listed', async () => {
    const measuring = measured('cuda', { ...on, details, list: 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a100)\n' });
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });
});

describe('other vendors’ GPUs', () => {
  test('are not measured by nvidia-smi', async () => {
    for (const accelerator of ['rocm', 'intel'] as const) {
      await expect(measured(accelerator, { smi: LARGE })).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
    }
  });

  test('are described by amdgpu, in the order of their cards', async () => {
    const files = { ...amd(10, { vram: 16 }), ...amd(1, { vram: 24 }) };
    expect(await sizes('rocm', { smi: LARGE, files })).toEqual([24576, 16384]);
  });

  test('are named as amdgpu names them, and neither other vendors’ cards nor those without memory are among them', async () => {
    const named = { '/sys/class/drm/card1/device/product_name': 'AMD Radeon RX 7900 XTX\n' };
    const foreign = { '/sys/class/drm/card2/device/vendor': '0x8086\n' };
    const files = { ...amd(0, { vram: 16 }), ...amd(1, { vram: 24 }), ...named, ...amd(2, { vram: 48 }), ...foreign };
    const { gpus } = await measured('rocm', { files: { ...files, ...amd(3, { vram: 0 }) } });
    expect(gpus?.map(({ name, totalBytes, usedBytes }) => [name, totalBytes, usedBytes])).toEqual([
      ['AMD GPU', 16 * GIB, GIB / 4],
      ['AMD Radeon RX 7900 XTX', 24 * GIB, GIB / 4],
    ]);
  });

  test.each([
    [{ HIP_VISIBLE_DEVICES: '1' }, [16384]],
    [{ CUDA_VISIBLE_DEVICES: '1' }, [16384]],
    [{ HIP_VISIBLE_DEVICES: '0', CUDA_VISIBLE_DEVICES: '1' }, [24576]],
    // the second of those that the first variable leaves
    [{ ROCR_VISIBLE_DEVICES: '1,0', HIP_VISIBLE_DEVICES: '1' }, [24576]],
  ])('are those that %j leaves', async (env, expected) => {
    const files = { ...amd(0, { vram: 24 }), ...amd(1, { vram: 16 }) };
    expect(await sizes('rocm', { files, env })).toEqual(expected);
  });

  test('are those that ROCR_VISIBLE_DEVICES names by their identity', async () => {
    const files = {
      ...amd(0, { vram: 24, unique: '5c88006d4dd1a1b2' }),
      ...amd(1, { vram: 16, unique: 'a1b25c88006d4dd1' }),
    };
    expect(await sizes('rocm', { files, env: { ROCR_VISIBLE_DEVICES: 'GPU-a1b25c88006d4dd1' } })).toEqual([16384]);
  });

  test.each([
    ['vram_used', ''],
    ['vram_used', '-1'],
    ['vram_used', 'nan'],
    ['vram_total', '0x600000000'],
    ['vram_total', '1e12'],
  ])('are not guessed at where mem_info_%s says "%s"', async (file, text) => {
    const files = { ...amd(0, { vram: 24 }), ...amd(1, { vram: 16 }) };
    const changed = { ...files, [`/sys/class/drm/card1/device/mem_info_${file}`]: text };
    await expect(measured('rocm', { files: changed })).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
    expect(await sizes('rocm', { files: changed, env: { HIP_VISIBLE_DEVICES: '0' } })).toEqual([24576]);
  });

  test('inside a processor share the machine’s memory, up to what they may borrow', async () => {
    const host = await measured('rocm', { files: amd(0, { vram: 0.5, gtt: 31, device: '0x1586' }) });
    expect(host).toMatchObject({ unifiedMemory: true, gpus: [{ totalBytes: 31 * GIB, usedBytes: GIB / 8 }] });
  });

  test('inside a processor have what the firmware has set aside for them', async () => {
    const host = await measured('rocm', { files: amd(0, { vram: 96, gtt: 15, device: '0x1586' }) });
    expect(host.unifiedMemory).toBeUndefined();
    expect(host.gpus).toMatchObject([{ totalBytes: 96 * GIB }]);
  });

  test('inside a processor are left out beside one with memory of its own', async () => {
    const files = { ...amd(0, { vram: 0.5, device: '0x164e' }), ...amd(1, { vram: 24 }) };
    expect(await sizes('rocm', { files })).toEqual([24576]);
  });

  test.each([
    ['0', [8192]],
    ['1,0', [8192, 24576]],
  ])('are the smallest of those that GGML_VK_VISIBLE_DEVICES=%s may mean', async (list, expected) => {
    const on = { smi: `${LARGE}\n${SMALL}\n`, env: { GGML_VK_VISIBLE_DEVICES: list } };
    expect(await sizes('vulkan', on)).toEqual(expected);
  });

  test.each(['', '0,1,2'])('are not guessed at with GGML_VK_VISIBLE_DEVICES="%s"', async (list) => {
    const measuring = measured('vulkan', { smi: `${LARGE}\n${SMALL}\n`, env: { GGML_VK_VISIBLE_DEVICES: list } });
    await expect(measuring).rejects.toMatchObject({ code: 'GPU_MEMORY_UNKNOWN' });
  });

  test('are found for Vulkan, whoever made them', async () => {
    expect(await sizes('vulkan', { smi: LARGE })).toEqual([24576]);
    expect(await sizes('vulkan', { files: amd(0, { vram: 16 }) })).toEqual([16384]);
  });
});
