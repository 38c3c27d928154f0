import { posix } from 'node:path';
import type { CgroupMemory, HostMemory } from './host-memory.js';
import { mappedWeightsBytes } from './processes/mapped-weights.js';
import { shown } from '../printable.js';
import type { Probe, ReadText } from './probe.js';
import { unmeasured } from './unmeasured.js';

/** A limit of 2^60 bytes and more is how cgroup v1 says that there is none (`PAGE_COUNTER_MAX`, by page size). */
const NO_LIMIT_BYTES = 2 ** 60;

/** Where the two versions keep a group's files, what they call them, and whether `memory.stat` sums up groups below. */
const CGROUP_VERSIONS = [
  {
    own: /^0::(\/.*)$/m,
    mount: '/sys/fs/cgroup',
    limits: ['memory.max', 'memory.high'],
    usage: 'memory.current',
    droppable: 'inactive_file',
  },
  {
    own: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m,
    mount: '/sys/fs/cgroup/memory',
    limits: ['memory.limit_in_bytes'],
    usage: 'memory.usage_in_bytes',
    droppable: 'total_inactive_file',
  },
] as const;
type CgroupVersion = (typeof CGROUP_VERSIONS)[number];

/**
 * This Linux machine, now: `/proc/meminfo`, less what ZFS would give back, with what running engines have mapped, and the
 * limits of every cgroup above this process.
 * @param ledgered processes whose weights are counted elsewhere
 * @throws CheckIncompleteError MEASUREMENT_FAILED
 */
export async function measureLinux(
  probe: Pick<Probe, 'readText' | 'list'>,
  ledgered: readonly number[] = [],
): Promise<HostMemory> {
  const { readText } = probe;
  const [meminfo, arcstats, mappedBytes, cgroups] = await Promise.all([
    readText('/proc/meminfo'),
    readText('/proc/spl/kstat/zfs/arcstats'),
    mappedWeightsBytes(probe, ledgered),
    cgroupLimits(readText),
  ]);
  const totalBytes = meminfoBytes(meminfo, 'MemTotal');
  const availableBytes = meminfoBytes(meminfo, 'MemAvailable');
  if (totalBytes === undefined || availableBytes === undefined) {
    throw unmeasured('/proc/meminfo does not say total and available memory');
  }
  const heldBytes = totalBytes - availableBytes - arcGivenBackBytes(arcstats) + mappedBytes;
  return {
    source: 'measured',
    totalBytes,
    inUseBytes: Math.min(totalBytes, Math.max(0, heldBytes)),
    cgroups,
    notes: [],
  };
}

function meminfoBytes(meminfo: string | undefined, field: string): number | undefined {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d{1,15}) kB$`, 'm').exec(meminfo ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** ZFS's cache is not in MemAvailable, though it shrinks to `c_min` when others need memory. */
function arcGivenBackBytes(arcstats: string | undefined): number {
  const size = kstat(arcstats, 'size');
  const least = kstat(arcstats, 'c_min');
  return size === undefined || least === undefined ? 0 : Math.max(0, size - least);
}

/** `name type data`, a line each. */
function kstat(text: string | undefined, name: string): number | undefined {
  const data = new RegExp(`^${name}\\s+\\d+\\s+(\\d{1,20})$`, 'm').exec(text ?? '')?.[1];
  return data === undefined ? undefined : Number(data);
}

/**
 * The cgroup memory limits on this process, of its own group and every one above it, since each of them holds; on a hybrid
 * system of both versions. File pages that the kernel would drop first do not count as in use.
 * @throws CheckIncompleteError MEASUREMENT_FAILED for a limit, or what is used of it, that cannot be read
 */
async function cgroupLimits(readText: ReadText): Promise<readonly CgroupMemory[]> {
  const membership = (await readText('/proc/self/cgroup')) ?? '';
  const groups = CGROUP_VERSIONS.flatMap((version) => {
    const own = version.own.exec(membership)?.[1];
    return own === undefined ? [] : ancestry(own).map((group) => readGroup(readText, version, group));
  });
  return (await Promise.all(groups)).filter((group) => group !== undefined);
}

/** `/a/b` gives `/a/b`, `/a` and `/`: in a container the root of the mount may be the limited group itself. */
function ancestry(group: string): string[] {
  const parent = posix.dirname(group);
  return group === parent ? [group] : [group, ...ancestry(parent)];
}

async function readGroup(readText: ReadText, version: CgroupVersion, group: string): Promise<CgroupMemory | undefined> {
  const read = (file: string): Promise<string | undefined> => readText(posix.join(version.mount, group, file));
  const [usage, stat, ...limits] = await Promise.all([
    read(version.usage),
    read('memory.stat'),
    ...version.limits.map(read),
  ]);
  // Only cgroup v1 has it: the least limit of all groups above, also those that a container does not see.
  const above = /^hierarchical_memory_limit (.*)$/m.exec(stat ?? '')?.[1];
  const limitBytes = Math.min(...[...limits, above].map((text) => limitOf(text, group)));
  if (limitBytes >= NO_LIMIT_BYTES) return undefined;
  const droppable = Number(new RegExp(`^${version.droppable} (\\d{1,20})$`, 'm').exec(stat ?? '')?.[1] ?? 0);
  const path = version === CGROUP_VERSIONS[0] ? { path: group } : {};
  return { ...path, limitBytes, inUseBytes: Math.max(0, amountOf(usage ?? '', group) - droppable) };
}

/** No file and `max` are how there is none. */
function limitOf(text: string | undefined, group: string): number {
  return text === undefined || text.trim() === 'max' ? Infinity : amountOf(text, group);
}

function amountOf(text: string, group: string): number {
  if (/^\d{1,20}\s*$/.test(text)) return Number(text);
  throw unmeasured(`the cgroup ${shown(group)} has a limit that cannot be read, or not how much of it is in use`);
}
