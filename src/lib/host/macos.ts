import type { GpuWiredMemory, HostMemory } from './host-memory.js';
import type { RunCommand } from './probe.js';
import { defaultWiredLimitBytes } from './wired-limit.js';
import { unmeasured } from './unmeasured.js';

const MIB = 2 ** 20;

/** The most that macOS can give to a new program, if others give up what they do not touch at the moment. */
const LOOSELY_AVAILABLE = ['Pages free', 'Pages inactive', 'Pages speculative', 'Pages purgeable'] as const;
/**
 * What it can give without compressing or swapping out anything of theirs: all but what Activity Monitor calls Memory Used
 * (anonymous − purgeable + wired + occupied by compressor). Speculative pages are file-backed ones.
 */
const STRICTLY_AVAILABLE = ['Pages free', 'File-backed pages', 'Pages purgeable'] as const;

/**
 * This Mac, now.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export async function measureMac(run: RunCommand): Promise<HostMemory> {
  const [memsize, wiredLimit, version, vmStat, ioreg] = await Promise.all([
    run('sysctl', ['-n', 'hw.memsize']),
    run('sysctl', ['-n', 'iogpu.wired_limit_mb']),
    run('sysctl', ['-n', 'kern.osproductversion']),
    run('vm_stat', []),
    run('ioreg', IOREG),
  ]);
  const totalBytes = /^\d{1,16}\s*$/.test(memsize ?? '') ? Number(memsize) : Number.NaN;
  if (!Number.isSafeInteger(totalBytes) || totalBytes <= 0 || vmStat === undefined) {
    throw unmeasured('the memory of this Mac could not be measured');
  }
  const { looseBytes, strictBytes } = availableFromVmStat(vmStat);
  const inUseBytes = Math.max(0, totalBytes - looseBytes);
  const gpuWiredLimitBytes = setLimitBytes(wiredLimit) ?? defaultWiredLimitBytes(totalBytes, majorVersion(version));
  const idleBytes = Math.min(totalBytes - inUseBytes, looseBytes - strictBytes);
  const gpuWired = gpuWiredFromIoreg(ioreg ?? '');
  return {
    source: 'measured',
    totalBytes,
    inUseBytes,
    idleBytes,
    gpuWiredLimitBytes,
    ...(gpuWired && { gpuWired }),
    notes: [],
  };
}

const IOREG = ['-r', '-w', '0', '-d', '1', '-c', 'IOAccelerator'] as const;

/**
 * What the GPU holds for all programs: `PerformanceStatistics` of its accelerator; undefined where there is none.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
function gpuWiredFromIoreg(output: string): GpuWiredMemory | undefined {
  const allocatedBytes = statistic(output, 'Alloc system memory');
  const inUseBytes = statistic(output, 'In use system memory');
  return allocatedBytes === undefined || inUseBytes === undefined ? undefined : { allocatedBytes, inUseBytes };
}

function statistic(output: string, name: string): number | undefined {
  const said = new RegExp(`"${name}"\\s*=\\s*([^,}\\s]*)`).exec(output)?.[1];
  if (said === undefined || /^\d{1,20}$/.test(said)) return said === undefined ? undefined : Number(said);
  throw unmeasured('ioreg does not say how much memory the GPU has wired');
}

/**
 * Available bytes according to the output of macOS's `vm_stat`: `looseBytes` at the most, `strictBytes` without anybody
 * else's memory being compressed or swapped out; never more than the former.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export function availableFromVmStat(output: string): { readonly looseBytes: number; readonly strictBytes: number } {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(output)?.[1]);
  const sum = (labels: readonly string[]): number =>
    labels.map((label) => pageCount(output, label)).reduce((all, count) => all + count, 0) * pageBytes;
  const looseBytes = sum(LOOSELY_AVAILABLE);
  const strictBytes = sum(STRICTLY_AVAILABLE);
  if (!Number.isFinite(looseBytes + strictBytes)) {
    throw unmeasured('vm_stat printed something that could not be understood');
  }
  return { looseBytes, strictBytes: Math.min(looseBytes, strictBytes) };
}

function pageCount(output: string, label: string): number {
  const count = new RegExp(`^${label}:\\s+(\\d{1,15})\\.?$`, 'm').exec(output)?.[1];
  return Number(count ?? Number.NaN);
}

/**
 * `iogpu.wired_limit_mb` in bytes, or undefined when nobody has set it (0) or it does not exist (Intel).
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
function setLimitBytes(output: string | undefined): number | undefined {
  if (output === undefined) return undefined;
  if (!/^\d{1,15}\s*$/.test(output)) throw unmeasured('sysctl does not say what iogpu.wired_limit_mb is');
  return Number(output) > 0 ? Number(output) * MIB : undefined;
}

function majorVersion(output: string | undefined): number | undefined {
  const major = /^(\d+)/.exec(output?.trim() ?? '')?.[1];
  return major === undefined ? undefined : Number(major);
}
