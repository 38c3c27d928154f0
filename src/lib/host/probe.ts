import { join } from 'node:path';
import { linuxSharedPages } from './processes/process-memory.js';
import { programOutput } from './processes/program-output.js';
import { firstRunnable, pathFolders } from './processes/runnable.js';

/** What a program of the system printed, or undefined when it is not there, fails or takes too long. */
export type RunCommand = (program: string, args: readonly string[]) => Promise<string | undefined>;

/** A small text file of the system, or undefined when it cannot be read. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** Everything that measuring asks of the machine, so that tests can answer in its place. */
export interface Probe {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  readonly run: RunCommand;
  readonly readText: ReadText;
  /** Names in a folder, or nothing when it cannot be read. */
  readonly list?: (folder: string) => Promise<readonly string[]>;
  /** Whether there is such a program; unset where that is not asked. */
  readonly has?: (program: string) => boolean;
  /** Pages of files and shared memory of a process; unset where it is not asked, undefined for a process that is gone. */
  readonly sharedPages?: (pid: string) => number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The processor of this machine, by whose kernels weights are laid out. */
export function cpuArchHere(): 'arm' | 'x86' {
  return process.arch === 'arm64' ? 'arm' : 'x86';
}

const BOUNDS = { timeoutMs: 5_000, mostBytes: 16 * 2 ** 20 };

export const thisMachine: Probe = {
  platform: process.platform,
  arch: process.arch,
  env: process.env,
  run: async (program, args) => {
    const output = await programOutput(program, args, BOUNDS, { ...process.env, LC_ALL: 'C' });
    return output?.failed === false ? output.stdout : undefined;
  },
  readText: async (path) => {
    const { readFile } = await import('node:fs/promises');
    return readFile(path, 'utf8').catch(() => undefined);
  },
  list: async (folder) => {
    const { readdir } = await import('node:fs/promises');
    return readdir(folder).catch(() => []);
  },
  has: (program) => firstRunnable(pathFolders(process.env.PATH).map((folder) => join(folder, program))) !== undefined,
  sharedPages: linuxSharedPages,
};
