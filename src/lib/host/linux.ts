import { CheckIncompleteError } from '../errors.js';
import { cgroupLimits } from './cgroup.js';
import type { HostMemory } from './host-memory.js';
import type { ReadText } from './probe.js';

/**
 * This Linux machine, now: `/proc/meminfo` and the cgroup v2 limits.
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export async function measureLinux(readText: ReadText): Promise<HostMemory> {
  const [meminfo, cgroups] = await Promise.all([readText('/proc/meminfo'), cgroupLimits(readText)]);
  const totalBytes = meminfoBytes(meminfo, 'MemTotal');
  const availableBytes = meminfoBytes(meminfo, 'MemAvailable');
  if (totalBytes === undefined || availableBytes === undefined) {
    throw new CheckIncompleteError('MEASUREMENT_FAILED', '/proc/meminfo does not say total and available memory', {
      suggestions: ['give the machine by hand: --system-memory 32Gi --in-use 4Gi'],
    });
  }
  return { source: 'measured', totalBytes, inUseBytes: Math.max(0, totalBytes - availableBytes), cgroups, notes: [] };
}

function meminfoBytes(meminfo: string | undefined, field: string): number | undefined {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(meminfo ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
