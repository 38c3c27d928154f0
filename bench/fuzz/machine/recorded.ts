import { readFileSync } from 'node:fs';
import type { Probe } from '../../../src/lib/host/probe.js';

/** A machine as its files and programs describe it. */
export interface Recorded {
  readonly platform: 'linux' | 'darwin';
  readonly env: Readonly<Record<string, string>>;
  /** By path, or by the words of the command. */
  readonly texts: Readonly<Record<string, string>>;
}

const SAMPLES = new URL('../../../../../test/lib/host/samples/', import.meta.url).pathname;
const GIB = 2 ** 30;
const QUERY =
  'nvidia-smi --query-gpu=memory.total,memory.used,uuid,mig.mode.current,name,memory.free --format=csv,noheader,nounits';

/** With limits of both versions of cgroups, a cache of ZFS, and an engine that has mapped weights. */
const LINUX: Readonly<Record<string, string>> = {
  '/proc/meminfo':
    'MemTotal:       65536000 kB\nMemFree:         1000000 kB\nMemAvailable:   40960000 kB\nBuffers:          120000 kB\n',
  '/proc/spl/kstat/zfs/arcstats':
    '9 1 0x01 1 1 1 1\nname                            type data\nsize                            4    4294967296\nc_min                           4    2147483648\n',
  '/proc/self/cgroup': '5:cpuset,memory:/jobs\n0::/user.slice/run.scope\n',
  '/sys/fs/cgroup/user.slice/memory.max': `${40 * GIB}\n`,
  '/sys/fs/cgroup/user.slice/memory.high': `${38 * GIB}\n`,
  '/sys/fs/cgroup/user.slice/memory.current': `${9 * GIB}\n`,
  '/sys/fs/cgroup/user.slice/memory.stat': `anon 4294967296\ninactive_file ${2 * GIB}\nactive_file 5000\n`,
  '/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': `${36 * GIB}\n`,
  '/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes': `${8 * GIB}\n`,
  '/sys/fs/cgroup/memory/jobs/memory.stat': `total_inactive_file ${GIB}\nhierarchical_memory_limit ${36 * GIB}\n`,
  '/proc/4711/status':
    'Name:\tllama-server\nRssAnon:\t 4194304 kB\nRssFile:\t 6291456 kB\nRssShmem:\t    2048 kB\nVmLck:\t  524288 kB\n',
  '/proc/4711/smaps':
    '7f0000000000-7f0100000000 r--s 00000000 103:02 1234 /models/a.gguf\nPss:             6291456 kB\nLocked:                0 kB\n7f0200000000-7f0200001000 rw-p 00000000 00:00 0 \nPss:                   4 kB\n',
  '/proc/4711/cgroup': '0::/user.slice/run.scope\n',
  '/proc/pressure/memory':
    'some avg10=1.25 avg60=0.50 avg300=0.10 total=123456\nfull avg10=0.20 avg60=0.10 avg300=0.01 total=12345\n',
  'ps -A -o rss=,comm=': '20480000 /usr/bin/llama-server\n  102400 /usr/lib/firefox/firefox\n    1024 sh\n',
};

const NVIDIA: Readonly<Record<string, string>> = {
  ...LINUX,
  [QUERY]:
    '24576, 1024, GPU-aaaa-1, Disabled, NVIDIA GeForce RTX 4090, 23140\n8192, 300, GPU-bbbb-2, Disabled, NVIDIA GeForce RTX 3070, 7700\n',
  'nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory --format=csv,noheader,nounits':
    'GPU-aaaa-1, 4711, 700\nGPU-bbbb-2, 12, 100\n',
};

const DIVIDED: Readonly<Record<string, string>> = {
  ...LINUX,
  [QUERY]: '40960, 1000, GPU-a100, Enabled, NVIDIA A100-SXM4-40GB, 39500\n',
  'nvidia-smi -L':
    'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a100)\n  MIG 3g.20gb     Device  0: (UUID: MIG-1111)\n  MIG 1g.5gb      Device  1: (UUID: MIG-2222)\n',
  'nvidia-smi -q -x': `<nvidia_smi_log><gpu id="00000000:01:00.0"><fb_memory_usage><total>40960 MiB</total><used>1000 MiB</used></fb_memory_usage>
<mig_devices><mig_device><index>0</index><fb_memory_usage><total>19968 MiB</total><used>3700 MiB</used></fb_memory_usage></mig_device>
<mig_device><index>1</index><fb_memory_usage><total>4864 MiB</total><reserved>30 MiB</reserved><used>1200 MiB</used><free>3634 MiB</free></fb_memory_usage></mig_device></mig_devices></gpu></nvidia_smi_log>`,
};

const ONE_POOL: Readonly<Record<string, string>> = { ...LINUX, [QUERY]: '[N/A], [N/A], GPU-d, [N/A], NVIDIA GB10\n' };

const AMD: Readonly<Record<string, string>> = { ...LINUX, ...card(0, '0x744c', 24, 32), ...card(1, '0x73bf', 16, 32) };
const AMD_INSIDE: Readonly<Record<string, string>> = { ...LINUX, ...card(0, '0x1586', 1, 31) };

function card(number: number, device: string, vramGib: number, gttGib: number): Readonly<Record<string, string>> {
  const folder = `/sys/class/drm/card${number}/device`;
  return {
    [`${folder}/vendor`]: '0x1002\n',
    [`${folder}/device`]: `${device}\n`,
    [`${folder}/unique_id`]: '5c88006d4dd1a1b2\n',
    [`${folder}/product_name`]: 'Radeon RX 7900 XTX\n',
    [`${folder}/mem_info_vram_total`]: `${vramGib * GIB}\n`,
    [`${folder}/mem_info_vram_used`]: `${GIB / 4}\n`,
    [`${folder}/mem_info_gtt_total`]: `${gttGib * GIB}\n`,
    [`${folder}/mem_info_gtt_used`]: `${GIB / 8}\n`,
  };
}

const mac = (memsize: number, limit: string, vmStat: string): Readonly<Record<string, string>> => ({
  'sysctl -n hw.memsize': `${memsize}\n`,
  'sysctl -n iogpu.wired_limit_mb': `${limit}\n`,
  'sysctl -n kern.osproductversion': '26.1\n',
  'sysctl -n kern.memorystatus_vm_pressure_level': '2\n',
  vm_stat: readFileSync(SAMPLES + vmStat, 'utf8'),
  'ioreg -r -w 0 -d 1 -c IOAccelerator': `+-o AGXAcceleratorG17X  <class AGXAcceleratorG17X, id 0x1000005f3, registered, matched>
    {
      "model" = "Apple M5 Pro"
      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=13958643712,"Tiler Utilization %"=300,"In use system memory"=11811160064}
    }\n`,
  'top -l 1 -o mem -n 12 -stats pid,mem,command':
    'Processes: 500 total\nPID    MEM   COMMAND\n512    2048M+ WindowServer\n4711*  12G    llama-server\n0      1024M  kernel_task\n',
  'ps -A -o rss=,comm=': '20480000 /opt/homebrew/bin/llama-server\n  102400 /Applications/X.app/X\n',
});

export const LINUXES: readonly Recorded[] = [{ platform: 'linux', env: {}, texts: LINUX }];
export const NVIDIAS: readonly Recorded[] = [
  { platform: 'linux', env: {}, texts: NVIDIA },
  { platform: 'linux', env: { CUDA_VISIBLE_DEVICES: '1,0' }, texts: NVIDIA },
  { platform: 'linux', env: {}, texts: DIVIDED },
  { platform: 'linux', env: { CUDA_VISIBLE_DEVICES: 'MIG-2222' }, texts: DIVIDED },
  { platform: 'linux', env: {}, texts: ONE_POOL },
];
export const AMDS: readonly Recorded[] = [
  { platform: 'linux', env: {}, texts: AMD },
  { platform: 'linux', env: { ROCR_VISIBLE_DEVICES: '1,0', HIP_VISIBLE_DEVICES: '1' }, texts: AMD },
  { platform: 'linux', env: {}, texts: AMD_INSIDE },
];
export const MACS: readonly Recorded[] = [
  { platform: 'darwin', env: {}, texts: mac(48 * GIB, '0', 'vm_stat-m5pro-48gb-a.txt') },
  { platform: 'darwin', env: {}, texts: mac(48 * GIB, '20000', 'vm_stat-m5pro-48gb-b.txt') },
  { platform: 'darwin', env: {}, texts: mac(32 * GIB, '0', 'vm_stat-4096.txt') },
];

/** What measuring asks of such a machine. */
export function probeOf({ platform, env, texts }: Recorded): Probe {
  return {
    platform,
    arch: platform === 'darwin' ? 'arm64' : 'x64',
    env,
    run: async (program, args) => texts[[program, ...args].join(' ')],
    readText: async (path) => texts[path],
    list: async (folder) => {
      const inside = Object.keys(texts).filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(inside.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
    },
  };
}
