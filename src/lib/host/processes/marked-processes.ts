import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readNow } from './process-memory.js';

/** A process whose environment has a certain variable. */
export interface MarkedProcess {
  readonly pid: number;
  /** The process group that it is in: the number of the process that began it, which may be gone. */
  readonly group: number;
  /** What the variable says. */
  readonly mark: string;
}

/** Field 5 of `/proc/PID/stat` (proc(5)), counted after the name. */
const GROUP_FIELD = 2;
const PS_TIMEOUT_MS = 10_000;
const MOST_OUTPUT_BYTES = 64 * 2 ** 20;

/**
 * The processes of this user that were started with a variable in their environment, which none of them can lose: what really runs,
 * whatever files say. Those whose environment the system does not show are not among them.
 */
export function markedProcesses(
  variable: string,
  platform: NodeJS.Platform = process.platform,
): readonly MarkedProcess[] {
  return platform === 'linux' ? ofLinux(variable) : ofPs(variable, psOutput());
}

function ofLinux(variable: string): readonly MarkedProcess[] {
  const begin = `${variable}=`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const entry = readNow(`/proc/${name}/environ`)
      ?.split('\0')
      .find((one) => one.startsWith(begin));
    const stat = entry === undefined ? undefined : readNow(`/proc/${name}/stat`);
    if (entry === undefined || stat === undefined) return [];
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[GROUP_FIELD]);
    return [{ pid: Number(name), group, mark: entry.slice(begin.length) }];
  });
}

/** @param output of `ps -o pid=,pgid=,command=` with `-E`, which puts the environment behind the arguments */
export function ofPs(variable: string, output: string): readonly MarkedProcess[] {
  const line = new RegExp(`^\\s*(\\d{1,10})\\s+(\\d{1,10})\\s.*\\s${variable}=(\\S+)`);
  return output.split('\n').flatMap((text) => {
    const [, pid, group, mark] = line.exec(text) ?? [];
    return pid === undefined || mark === undefined ? [] : [{ pid: Number(pid), group: Number(group), mark }];
  });
}

function psOutput(): string {
  const { status, stdout } = spawnSync('ps', ['-axEww', '-o', 'pid=,pgid=,command='], {
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT_BYTES,
  });
  return status === 0 ? stdout : '';
}
