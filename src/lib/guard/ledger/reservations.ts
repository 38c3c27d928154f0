import type { CgroupMemory, GpuWiredMemory, HostMemory } from '../../host/host-memory.js';
import type { ProcessMemory } from '../../host/processes/process-memory.js';
import { sameProcess, type ProcessIdentity } from '../../host/processes/processes.js';
import type { LedgerEntry } from './ledger.js';

/** A process of the ledger that runs, and what it holds as far as that can be said. */
export type LiveProcess = ProcessIdentity & Partial<ProcessMemory>;

/** The entries whose process, told by number and start, still runs. */
export function liveEntries(
  entries: readonly LedgerEntry[],
  processes: readonly LiveProcess[],
): readonly LedgerEntry[] {
  return entries.filter((entry) => processes.some((process) => sameProcess(process, entry)));
}

/** An entry that counts, and its process. */
interface Held {
  readonly entry: LedgerEntry;
  readonly process: LiveProcess;
  /** What it was promised goes on to be. */
  readonly stays: boolean;
}

/**
 * A measured machine with what is promised told apart from what others use. A live entry counts in full, so what its process
 * holds already is taken out of what is in use, as far as it was promised; what it holds beyond that stays in use. What
 * is not known to be held by one is left in use: then it counts twice, and never not at all.
 * @param leaving whose entries promise nothing any more, for their processes are about to end
 */
export function withReservations(
  host: HostMemory,
  entries: readonly LedgerEntry[],
  processes: readonly LiveProcess[],
  leaving?: string,
): HostMemory {
  const held = entries.flatMap((entry) => {
    const process = processes.find((candidate) => sameProcess(candidate, entry));
    return process === undefined ? [] : [{ entry, process, stays: entry.who !== leaving }];
  });
  if (held.length === 0) return host;
  const { gpuWired } = host;
  const wired = gpuWired && wiredByOthers(gpuWired, held);
  const ownBytes =
    sum(held, ownInUse) + sum(held, lockedInUse) + (gpuWired && wired ? gpuWired.inUseBytes - wired.inUseBytes : 0);
  const promisedBytes = promisedOf(held);
  return {
    ...host,
    // Whatever an entry says of its parts, it takes no more out than it is counted for.
    inUseBytes: Math.max(0, host.inUseBytes - Math.min(ownBytes, promisedBytes)),
    promisedBytes,
    ...(host.cgroups && { cgroups: host.cgroups.map((group) => inGroup(group, held)) }),
    ...(wired && { gpuWired: wired }),
    ...(host.gpus && { gpus: host.gpus.map((gpu) => onGpu(gpu, held)) }),
    notes: [
      ...host.notes,
      `memory is promised to ${held.length === 1 ? 'a process' : `${held.length} processes`} on this machine: llmkube ledger`,
    ],
  };
}

/** Of the memory in use, pages of its own that a process was promised. */
function ownInUse({ entry, process }: Held): number {
  const { hostBytes, mappedBytes } = entry.requirement;
  return Math.max(0, Math.min(hostBytes - mappedBytes, process.anonymousBytes ?? 0));
}

/** The same of files: only those that it has locked are in use. They may count in another cgroup than its own. */
function lockedInUse({ entry, process }: Held): number {
  return Math.min(entry.requirement.mappedBytes, process.lockedBytes ?? 0);
}

/** By what is counted of each; on the host unless said otherwise. */
function promisedOf(held: readonly Held[], bytesOf = ({ entry }: Held): number => entry.requirement.hostBytes): number {
  return sum(held, (one) => (one.stays ? bytesOf(one) : 0));
}

/** A process of another group does not count here; one whose group is not known does, but is taken for not in use yet. */
function inGroup(group: CgroupMemory, held: readonly Held[]): CgroupMemory {
  const { path } = group;
  const isInside = ({ process: { cgroup } }: Held): boolean | undefined =>
    path === undefined || cgroup === undefined ? undefined : isBelow(cgroup, path);
  const known = held.filter((one) => isInside(one) === true);
  return {
    ...group,
    inUseBytes: Math.max(0, group.inUseBytes - sum(known, ownInUse)),
    promisedBytes: promisedOf(held.filter((one) => isInside(one) !== false)),
  };
}

function isBelow(group: string, ancestor: string): boolean {
  // Seen from inside a container, what is outside of it begins with dots.
  if (group.startsWith('/..')) return false;
  return ancestor === '/' || group === ancestor || group.startsWith(`${ancestor}/`);
}

/**
 * macOS does not say whose the wired memory is. What is resident has been allocated in full, so the rest of what is allocated
 * is others', and they have wired at most that.
 */
function wiredByOthers(gpu: GpuWiredMemory, held: readonly Held[]): GpuWiredMemory {
  const onGpu = ({ entry }: Held): number => sum(entry.requirement.gpuBytes, (bytes) => bytes);
  const resident = held.filter(({ entry }) => entry.state === 'resident');
  const othersBytes = Math.max(0, Math.max(gpu.allocatedBytes, gpu.inUseBytes) - sum(resident, onGpu));
  return {
    ...gpu,
    inUseBytes: Math.min(gpu.inUseBytes, othersBytes),
    promisedBytes: promisedOf(held, onGpu),
  };
}

type Gpu = NonNullable<HostMemory['gpus']>[number];

/** What a process holds there already is not counted twice, as far as its driver tells. */
function onGpu(gpu: Gpu, held: readonly Held[]): Gpu {
  const promised = ({ entry }: Held): number => promisedOnGpu(entry.requirement, gpu);
  const inUse = (one: Held): number => Math.min(promised(one), heldOnGpu(one.process, gpu));
  return {
    ...gpu,
    usedBytes: Math.max(0, gpu.usedBytes - sum(held, inUse)),
    promisedBytes: promisedOf(held, promised),
  };
}

/** By the GPU's own name: its number is another one for a process that sees other GPUs. */
function promisedOnGpu({ gpuBytes, gpuIds }: LedgerEntry['requirement'], { index, uuid }: Gpu): number {
  const at = uuid === undefined || gpuIds === undefined ? index : gpuIds.indexOf(uuid);
  return gpuBytes[at] ?? 0;
}

function heldOnGpu({ pid }: LiveProcess, { heldBy = [] }: Gpu): number {
  return sum(
    heldBy.filter((one) => one.pid === pid),
    ({ bytes }) => bytes,
  );
}

function sum<T>(values: readonly T[], bytesOf: (value: T) => number): number {
  return values.reduce((total, value) => total + bytesOf(value), 0);
}
