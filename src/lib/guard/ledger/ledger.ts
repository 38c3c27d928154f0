import { parseBoundedJson } from '../../bounded-json.js';
import type { ProcessIdentity } from '../../host/processes/processes.js';
import { isObject } from '../../is-object.js';

/** What one launch holds, by pool, in bytes. */
export interface Requirement {
  /** In the machine's own memory; where the GPU shares it, everything. */
  readonly hostBytes: number;
  /** Of `hostBytes`, what is mapped from the model's files: pages that an operating system may call available. */
  readonly mappedBytes: number;
  /** On each GPU that the launch sees, by its number. */
  readonly gpuBytes: readonly number[];
  /** The names of those GPUs, where their driver tells them apart. */
  readonly gpuIds?: readonly string[];
}

/** `promised`: decided, and perhaps still loading. `resident`: seen to have arrived. Both count in full. */
export type EntryState = 'promised' | 'resident';

/** Memory of this machine that is given to one process for as long as it lives. */
export interface LedgerEntry extends ProcessIdentity {
  /** The service or the command. */
  readonly who: string;
  /** Of command and arguments; those themselves may hold secrets. */
  readonly argvHash: string;
  readonly requirement: Requirement;
  /** ISO 8601, for people; no decision rests on it. */
  readonly decidedAt: string;
  readonly state: EntryState;
  /** Whose server it is, as its environment says too. */
  readonly mark?: string;
  /** Promised to what will follow a process that has ended: the process here only keeps it, and holds nothing of it. */
  readonly kept?: boolean;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** Whose processes these are, where a machine says its name. */
  readonly machine?: string;
}

const VERSION = 1;

export function formatLedger({ entries, machine }: Ledger): string {
  return `${JSON.stringify({ version: VERSION, ...(machine !== undefined && { machine }), entries }, null, 1)}\n`;
}

/** The ledger in a text, `newer` for one that a later version of this program wrote, `corrupt` for anything else. */
export function parseLedger(text: string): Ledger | 'newer' | 'corrupt' {
  let content: unknown;
  try {
    content = parseBoundedJson(text);
  } catch {
    return 'corrupt';
  }
  if (!isObject(content)) return 'corrupt';
  if (typeof content.version === 'number' && content.version > VERSION) return 'newer';
  const { version, machine, entries } = content;
  if (version !== VERSION || !Array.isArray(entries) || !entries.every(isEntry)) return 'corrupt';
  return { entries, ...(typeof machine === 'string' && { machine }) };
}

function isEntry(value: unknown): value is LedgerEntry {
  if (!isObject(value)) return false;
  const { who, pid, startedAt, argvHash, decidedAt, state, requirement, mark = '' } = value;
  return (
    [who, startedAt, argvHash, decidedAt, mark].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(pid) &&
    (state === 'promised' || state === 'resident') &&
    isRequirement(requirement)
  );
}

function isRequirement(value: unknown): value is Requirement {
  if (!isObject(value) || !Array.isArray(value.gpuBytes)) return false;
  const { gpuIds = [] } = value;
  if (!Array.isArray(gpuIds) || !gpuIds.every((id) => typeof id === 'string')) return false;
  return [value.hostBytes, value.mappedBytes, ...(value.gpuBytes as unknown[])].every(
    (bytes) => Number.isSafeInteger(bytes) && (bytes as number) >= 0,
  );
}
