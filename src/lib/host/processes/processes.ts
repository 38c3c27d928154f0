import { spawnSync } from 'node:child_process';
import { readNow } from './process-memory.js';

/**
 * One process, told from every other that had or will have its number. `startedAt` is opaque: ticks since boot on Linux,
 * the kernel's record of the time on macOS, neither of which a change of the clock moves.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** Who is running, asked anew each time; undefined for a process that is gone, or dead and only not yet waited for. */
export type FindProcess = (pid: number) => ProcessIdentity | undefined;

/** Field 22 of `/proc/PID/stat` (proc(5)), counted after the name, which may hold blanks and parentheses. */
const STATE_FIELD = 0;
const START_FIELD = 19;
const DEAD_STATES: readonly string[] = ['Z', 'X', 'x'];

/** @param stat the content of `/proc/PID/stat`; @param boot of `/proc/sys/kernel/random/boot_id` */
function identityFromStat(stat: string, boot: string): ProcessIdentity | undefined {
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[STATE_FIELD], fields[START_FIELD]];
  if (!Number.isSafeInteger(pid) || state === undefined || ticks === undefined || !/^\d+$/.test(ticks))
    return undefined;
  return DEAD_STATES.includes(state) ? undefined : { pid, startedAt: `${boot}+${ticks}` };
}

/** @param line of `ps -o pid=,stat=,lstart=` with `LC_ALL=C` and `TZ=UTC` */
function identityFromPs(line: string): ProcessIdentity | undefined {
  const [, pid, state, startedAt] = /^\s*(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
  if (pid === undefined || state === undefined || startedAt === undefined || state.startsWith('Z')) return undefined;
  return { pid: Number(pid), startedAt };
}

export function sameProcess(a: ProcessIdentity | undefined, b: ProcessIdentity): boolean {
  return a !== undefined && a.pid === b.pid && a.startedAt === b.startedAt;
}

/** Processes of this Linux machine, read without waiting: a few microseconds each. */
function linuxProcesses(read: (path: string) => string | undefined = readNow): FindProcess {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return (pid) => {
    const stat = read(`/proc/${pid}/stat`);
    return stat === undefined ? undefined : identityFromStat(stat, boot);
  };
}

/** Processes of this machine. Where they cannot be told apart, every one counts as gone, and a start fails on its own. */
export function findProcessHere(platform: NodeJS.Platform = process.platform): FindProcess {
  if (platform === 'linux') return linuxProcesses();
  return (pid) => identityFromPs(psLine(pid) ?? '');
}

/**
 * The same for those who look every few seconds: where a look takes a program, that is run once for each number, and later only the
 * system is asked whether there is still a process of it. One whose number was given to another counts as still there, so nothing is
 * to be ended by it.
 */
export function glanceAtProcesses(find: FindProcess, platform: NodeJS.Platform = process.platform): FindProcess {
  if (platform === 'linux') return find;
  const known = new Map<number, ProcessIdentity>();
  return (pid) => {
    const identity = exists(pid) ? (known.get(pid) ?? find(pid)) : undefined;
    if (identity === undefined) known.delete(pid);
    else known.set(pid, identity);
    return identity;
  };
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const PS_TIMEOUT_MS = 5_000;

function psLine(pid: number): string | undefined {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  const { status, stdout } = spawnSync('ps', ['-o', 'pid=,stat=,lstart=', '-p', String(pid)], {
    env,
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
  });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}
