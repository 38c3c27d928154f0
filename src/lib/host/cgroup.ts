import { posix } from 'node:path';
import type { HostMemory } from './host-memory.js';
import type { ReadText } from './probe.js';

type Cgroup = NonNullable<HostMemory['cgroups']>[number];

const MOUNT = '/sys/fs/cgroup';

/**
 * The cgroup v2 memory limits on this process: of its own group and every one above it, since each of them holds.
 * File pages that the kernel would drop first do not count as in use.
 */
export async function cgroupLimits(readText: ReadText): Promise<readonly Cgroup[]> {
  const own = /^0::(\/.*)$/m.exec((await readText('/proc/self/cgroup')) ?? '')?.[1];
  if (own === undefined) return [];
  const groups = await Promise.all(ancestry(own).map((group) => readGroup(readText, group)));
  return groups.filter((group) => group !== undefined);
}

/** `/a/b` gives `/a/b`, `/a` and `/`: in a container the root of the mount may be the limited group itself. */
function ancestry(group: string): string[] {
  const parent = posix.dirname(group);
  return group === parent ? [group] : [group, ...ancestry(parent)];
}

async function readGroup(readText: ReadText, path: string): Promise<Cgroup | undefined> {
  const directory = posix.join(MOUNT, path);
  const limit = (await readText(posix.join(directory, 'memory.max')))?.trim();
  if (limit === undefined || !/^\d+$/.test(limit)) return undefined;
  const [current, stat] = await Promise.all([
    readText(posix.join(directory, 'memory.current')),
    readText(posix.join(directory, 'memory.stat')),
  ]);
  const droppable = Number(/^inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0);
  return { path, limitBytes: Number(limit), inUseBytes: Math.max(0, Number(current?.trim() ?? 0) - droppable) };
}
