import { CheckIncompleteError } from '../errors.js';
import type { HostMemory } from './host-memory.js';
import type { RunCommand } from './probe.js';
import { availableBytesFromVmStat } from './vm-stat.js';
import { defaultWiredLimitBytes } from './wired-limit.js';

const MIB = 2 ** 20;

/**
 * This Mac, now. In use is what `vm_stat` does not count as available.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export async function measureMac(run: RunCommand): Promise<HostMemory> {
  const [memsize, wiredLimit, version, vmStat] = await Promise.all([
    run('sysctl', ['-n', 'hw.memsize']),
    run('sysctl', ['-n', 'iogpu.wired_limit_mb']),
    run('sysctl', ['-n', 'kern.osproductversion']),
    run('vm_stat', []),
  ]);
  const totalBytes = Number(memsize?.trim() || Number.NaN);
  if (!Number.isSafeInteger(totalBytes) || totalBytes <= 0 || vmStat === undefined) {
    throw new CheckIncompleteError('MEASUREMENT_FAILED', 'the memory of this Mac could not be measured', {
      suggestions: ['give it by hand: --system-memory 32Gi --in-use 4Gi'],
    });
  }
  const inUseBytes = Math.max(0, totalBytes - availableBytesFromVmStat(vmStat));
  const gpuWiredLimitBytes = setLimitBytes(wiredLimit) ?? defaultWiredLimitBytes(totalBytes, majorVersion(version));
  return { source: 'measured', totalBytes, inUseBytes, gpuWiredLimitBytes, notes: [] };
}

/** `iogpu.wired_limit_mb` in bytes, or undefined when nobody has set it (0) or it does not exist (Intel). */
function setLimitBytes(output: string | undefined): number | undefined {
  const mebibytes = Number(output?.trim() || 0);
  return mebibytes > 0 ? mebibytes * MIB : undefined;
}

function majorVersion(output: string | undefined): number | undefined {
  const major = /^(\d+)/.exec(output?.trim() ?? '')?.[1];
  return major === undefined ? undefined : Number(major);
}
