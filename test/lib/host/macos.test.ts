import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { availableFromVmStat, measureMac } from '../../../src/lib/host/macos.js';
import type { RunCommand } from '../../../src/lib/host/probe.js';
import { largestPrograms, programsFromTop } from '../../../src/lib/host/processes/programs.js';
import { defaultWiredLimitBytes } from '../../../src/lib/host/wired-limit.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');

function mac(answers: Record<string, string>): RunCommand {
  return async (program, args) => answers[[program, ...args].join(' ')] ?? answers[program];
}

const M5 = {
  'sysctl -n hw.memsize': '51539607552\n',
  'sysctl -n iogpu.wired_limit_mb': '0\n',
  'sysctl -n kern.osproductversion': '26.1\n',
  vm_stat: sample('vm_stat-m5pro-48gb-a.txt'),
};

describe('vm_stat', () => {
  test.each([
    // (167743 free + 1196954 inactive + 4951 speculative + 14563 purgeable) × 16384
    ['vm_stat-m5pro-48gb-a.txt', 1_384_211 * 16_384],
    // (50667 + 1223174 + 31972 + 16362) × 16384
    ['vm_stat-m5pro-48gb-b.txt', 1_322_175 * 16_384],
    // (6127229 + 628646 + 430715 + 11820) × 4096
    ['vm_stat-4096.txt', 7_198_410 * 4_096],
  ])('%s leaves %d bytes at the most', (name, bytes) => {
    expect(availableFromVmStat(sample(name)).looseBytes).toBe(bytes);
  });

  test.each([
    // 167743 free + 431704 file-backed + 14563 purgeable, 9.4 GiB: what is not anonymous, wired or compressed
    ['vm_stat-m5pro-48gb-a.txt', 614_010 * 16_384],
    // 50667 + 486128 + 16362
    ['vm_stat-m5pro-48gb-b.txt', 553_157 * 16_384],
    // 6127229 + 1080348 + 11820 are more than the sum above: nobody is asked to give up anything
    ['vm_stat-4096.txt', 7_198_410 * 4_096],
  ])('%s leaves %d bytes that nobody has to give up', (name, bytes) => {
    expect(availableFromVmStat(sample(name)).strictBytes).toBe(bytes);
  });

  test.each([
    '',
    'no such command',
    sample('vm_stat-4096.txt').replace('Pages inactive', 'Seiten inaktiv'),
    sample('vm_stat-4096.txt').replace('File-backed', 'Datei-'),
  ])('that says something else is not guessed at', (output) => {
    expect(() => availableFromVmStat(output)).toThrow('could not be understood');
  });
});

describe('a Mac', () => {
  test('has in use what vm_stat calls available by no count, and idle what it does by one only', async () => {
    const host = await measureMac(mac(M5));
    expect(host).toMatchObject({ source: 'measured', totalBytes: 48 * GIB });
    expect(host.inUseBytes).toBe(48 * GIB - 1_384_211 * 16_384);
    expect(host.idleBytes).toBe((1_384_211 - 614_010) * 16_384);
  });

  test('wires by default what its version of macOS allows', async () => {
    expect((await measureMac(mac(M5))).gpuWiredLimitBytes).toBe(38_338 * MIB);
    const sequoia = { ...M5, 'sysctl -n kern.osproductversion': '15.6.1\n' };
    expect((await measureMac(mac(sequoia))).gpuWiredLimitBytes).toBe(36_864 * MIB);
  });

  test('says what its GPU holds for all programs, by the statistics of its accelerator', async () => {
    const ioreg = `+-o AGXAcceleratorG17X  <class AGXAcceleratorG17X, id 0x1000005f3, registered, matched, active, busy 0, retain 120>
    {
      "IOClass" = "AGXAcceleratorG17X"
      "model" = "Apple M5 Pro"
      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=13958643712,"Tiler Utilization %"=3,"In use system memory"=11811160064,"Device Utilization %"=5}
    }\n`;
    const command = 'ioreg -r -w 0 -d 1 -c IOAccelerator';
    const host = await measureMac(mac({ ...M5, [command]: ioreg }));
    expect(host.gpuWired).toEqual({ allocatedBytes: 13 * GIB, inUseBytes: 11 * GIB });
    expect((await measureMac(mac({ ...M5, [command]: '+-o Root\n' }))).gpuWired).toBeUndefined();
    expect((await measureMac(mac(M5))).gpuWired).toBeUndefined();
  });

  test('wires what its owner has set', async () => {
    const raised = { ...M5, 'sysctl -n iogpu.wired_limit_mb': '43000\n' };
    expect((await measureMac(mac(raised))).gpuWiredLimitBytes).toBe(43_000 * MIB);
  });

  test.each([
    ['sysctl -n hw.memsize', '1e12\n'],
    ['sysctl -n iogpu.wired_limit_mb', '20000MB\n'],
    ['sysctl -n iogpu.wired_limit_mb', '-1\n'],
    ['ioreg -r -w 0 -d 1 -c IOAccelerator', '"Alloc system memory"=13958643712,"In use system memory"=-1}'],
    ['ioreg -r -w 0 -d 1 -c IOAccelerator', '"Alloc system memory"=,"In use system memory"=11811160064}'],
  ])('is not guessed at where %s says %j', async (command, output) => {
    await expect(measureMac(mac({ ...M5, [command]: output }))).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED' });
  });

  test.each(['sysctl -n hw.memsize', 'vm_stat'])('is not measured without %s', async (missing) => {
    const answers = Object.fromEntries(Object.entries(M5).filter(([command]) => command !== missing));
    await expect(measureMac(mac(answers))).rejects.toMatchObject({ code: 'MEASUREMENT_FAILED', exitCode: 3 });
  });
});

describe('the programs that hold most', () => {
  const TOP = `Processes: 512 total, 3 running, 509 sleeping, 2800 threads
2026/11/25 10:00:00
PhysMem: 46G used (4G wired, 9G compressor), 1G unused.

PID    MEM    COMMAND
0      600M   kernel_task
4242   18G    ollama
501    2048M+ WindowServer
77*    1536M- Google Chrome He
78     1024M  Google Chrome He
9      812K   launchd
`;

  test('are those with the largest footprint, of one name together', () => {
    expect(programsFromTop(TOP)).toEqual([
      { name: 'ollama', bytes: 18 * GIB },
      { name: 'Google Chrome He', bytes: 2.5 * GIB },
      { name: 'WindowServer', bytes: 2 * GIB },
      { name: 'launchd', bytes: 812 * 1024 },
    ]);
  });

  test('are the first three, of a Mac', async () => {
    expect(await largestPrograms({ platform: 'darwin', run: mac({ top: TOP }) })).toHaveLength(3);
    expect(await largestPrograms({ platform: 'darwin', run: mac({}) })).toEqual([]);
    expect(await largestPrograms({ platform: 'linux', run: mac({ top: TOP }) })).toEqual([]);
  });
});

describe('the default wired limit', () => {
  test('between two known sizes takes the smaller share', () => {
    // macOS 15: 64 GB allow 0.75, 128 GB allow 0.75
    expect(defaultWiredLimitBytes(96 * GIB, 15)).toBe(72 * GIB);
    // macOS 26: 64 GB allow 53084 / 65536, 128 GB allow 110100 / 131072; the former is less
    expect(defaultWiredLimitBytes(96 * GIB, 26)).toBe(Math.floor((96 * 1024 * 53_084) / 65_536) * MIB);
  });

  test('between two known sizes is that of the nearest ones, in whole MiB', () => {
    // macOS 15: 24 GB allow 16384 / 24576, 32 GB a hair less, 21845 / 32768: 30720 × 21845 / 32768 = 20479.7
    expect(defaultWiredLimitBytes(30 * GIB, 15)).toBe(20_479 * MIB);
  });

  test('of a size that is smaller or larger than all known takes the share of the nearest', () => {
    // 5461 / 8192 of 4096 MiB is 2730.5; 475136 / 524288 = 0.90625
    expect(defaultWiredLimitBytes(4 * GIB, 15)).toBe(2730 * MIB);
    expect(defaultWiredLimitBytes(1024 * GIB, 26)).toBe(0.90625 * 1024 * GIB);
  });

  test.each([
    // recommendedMaxWorkingSetSize of Macs: 161.28 of 192 GB, 222.7 of 256 GB
    [192, 26, 161.28],
    [256, 26, 222.72],
    [128, 26, 107.52],
    [36, 15, 27],
    [512, 15, 384],
  ])('of %d GB with macOS %d is %d GB', (gigabytes, macos, wired) => {
    expect(defaultWiredLimitBytes(gigabytes * GIB, macos) / GIB).toBeCloseTo(wired, 2);
  });

  test('of an unknown macOS is that of the older ones', () => {
    expect(defaultWiredLimitBytes(32 * GIB, undefined)).toBe(21_845 * MIB);
  });
});
