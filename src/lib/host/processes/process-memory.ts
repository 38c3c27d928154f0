import { readFileSync } from 'node:fs';

/** What one process of this Linux machine holds now. */
export interface ProcessMemory {
  /** Pages of its own, which count as in use. */
  readonly anonymousBytes: number;
  /** Pages of files that are locked, and so in use like its own. */
  readonly lockedBytes?: number;
  /** The cgroup v2 that it is in, such as `/user.slice`; undefined where that is not known. */
  readonly cgroup?: string;
}

/** A file of the system, or undefined when it cannot be read. */
type ReadNow = (path: string) => string | undefined;

/** From `/proc/PID/status`, which costs no walk through its pages; undefined when the process is gone. */
export function linuxProcessMemory(pid: number, read: ReadNow = readNow): ProcessMemory | undefined {
  const status = read(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const cgroup = /^0::(\/.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? '')?.[1];
  const lockedBytes = Math.min(statusBytes(status, 'VmLck'), statusBytes(status, 'RssFile'));
  return {
    anonymousBytes: statusBytes(status, 'RssAnon') + statusBytes(status, 'RssShmem'),
    ...(lockedBytes > 0 && { lockedBytes }),
    ...(cgroup !== undefined && { cgroup }),
  };
}

function statusBytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** One object for all readings: hundreds of files are read at each start, and what that leaves behind stays with the guard. */
const AS_TEXT = { encoding: 'utf8', flag: 'r' } as const;

/** Undefined when it cannot be read. */
export function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, AS_TEXT);
  } catch {
    return undefined;
  }
}

/**
 * Pages of files and shared memory that a process holds: the third number of `/proc/PID/statm` (proc(5)), fifty times shorter than
 * `status`; undefined when the process is gone.
 */
export function linuxSharedPages(pid: string, read: ReadNow = readNow): number | undefined {
  const statm = read(`/proc/${pid}/statm`);
  const second = statm?.indexOf(' ') ?? -1;
  const third = statm?.indexOf(' ', second + 1) ?? -1;
  return statm === undefined ? undefined : Number.parseInt(statm.slice(third + 1), 10);
}
