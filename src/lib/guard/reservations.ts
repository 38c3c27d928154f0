import type { HostMemory } from '../host/host-memory.js';
import type { ProcessMemory } from '../host/process-memory.js';
import { sameProcess, type ProcessIdentity } from '../host/processes.js';
import type { LedgerEntry } from './ledger.js';

/** The processes that matter to a decision, at one moment. */
export interface LiveProcesses {
  /** Those of the ledger that run; all others of it are gone. */
  readonly ledgered: readonly (ProcessIdentity & Partial<ProcessMemory>)[];
  /** Engines found by name, of the ledger or not. */
  readonly engines: readonly ProcessMemory[];
}

/** The entries whose process, told by number and start, still runs. */
export function liveEntries(
  entries: readonly LedgerEntry[],
  { ledgered }: Pick<LiveProcesses, 'ledgered'>,
): readonly LedgerEntry[] {
  return entries.filter((entry) => ledgered.some((process) => sameProcess(process, entry)));
}

/**
 * A measured machine with what is promised told apart from what others use. A live entry counts in full, so what its process
 * holds already is taken out of what is in use, as far as it was promised; what it holds beyond that stays in use. Mapped
 * files of engines outside the ledger count as used, although the kernel calls their pages available.
 */
export function withReservations(
  host: HostMemory,
  entries: readonly LedgerEntry[],
  processes: LiveProcesses,
): HostMemory {
  const held = liveEntries(entries, processes).map((entry) => ({
    ...entry.requirement,
    ...heldBy(
      entry,
      processes.ledgered.find((process) => sameProcess(process, entry)),
    ),
  }));
  const strangers = processes.engines.filter((engine) => !entries.some((entry) => sameProcess(engine, entry)));
  const within = (group: string | undefined) => (process: { readonly cgroup?: string }) =>
    group === undefined || process.cgroup === undefined || isInside(process.cgroup, group);
  // What is not known to be in a group is not taken out of what is in use there.
  const counted = (group: string | undefined) =>
    held.filter((entry) => group === undefined || entry.cgroup !== undefined);
  const pool = (inUseBytes: number, group?: string) => ({
    inUseBytes:
      Math.max(
        0,
        inUseBytes -
          sum(
            counted(group)
              .filter(within(group))
              .map(({ countedBytes }) => countedBytes),
          ),
      ) + sum(strangers.filter(within(group)).map(({ mappedBytes }) => mappedBytes)),
    promisedBytes: sum(held.filter(within(group)).map(({ hostBytes }) => hostBytes)),
  });
  return {
    ...host,
    ...pool(host.inUseBytes),
    ...(host.cgroups && {
      cgroups: host.cgroups.map((group) => ({ ...group, ...pool(group.inUseBytes, group.path) })),
    }),
    notes: [...host.notes, ...notesOn(held.length, strangers)],
  };
}

/** Of the memory in use, what belongs to an entry; never more than it was promised in pages of its own. */
function heldBy(
  { requirement }: LedgerEntry,
  process: Partial<ProcessMemory> | undefined,
): { countedBytes: number; cgroup?: string } {
  const own = requirement.hostBytes - requirement.mappedBytes;
  const { anonymousBytes = 0, cgroup } = process ?? {};
  return { countedBytes: Math.max(0, Math.min(own, anonymousBytes)), ...(cgroup !== undefined && { cgroup }) };
}

function notesOn(promisedTo: number, strangers: readonly ProcessMemory[]): readonly string[] {
  const mapping = strangers.filter(({ mappedBytes }) => mappedBytes > 0);
  return [
    ...(promisedTo === 0
      ? []
      : [`memory is promised to ${promisedTo} ${promisedTo === 1 ? 'process' : 'processes'}, see llmkube ledger`]),
    ...(mapping.length === 0
      ? []
      : [`in use counts what is mapped by ${mapping.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`]),
  ];
}

function isInside(group: string, ancestor: string): boolean {
  return ancestor === '/' || group === ancestor || group.startsWith(`${ancestor}/`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
