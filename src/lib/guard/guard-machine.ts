import type { HostMemory } from '../host/host-memory.js';
import { linuxEngines, linuxProcessMemory, type ProcessMemory } from '../host/process-memory.js';
import { findProcessHere, type FindProcess } from '../host/processes.js';
import { openStateFolder, stateFolderPath } from './state-folder.js';

/** What the guard asks of the machine, so that tests can answer in its place. */
export interface GuardMachine {
  /** @throws CheckIncompleteError STATE_FOLDER */
  readonly openState: () => string;
  readonly find: FindProcess;
  /** Of one process of the ledger; undefined where it is gone or cannot be said. */
  readonly memoryOf: (pid: number) => ProcessMemory | undefined;
  readonly engines: () => readonly ProcessMemory[];
  /** @throws CheckIncompleteError */
  readonly measure: () => Promise<HostMemory>;
}

export function guardHere(measure: () => Promise<HostMemory>, env = process.env): GuardMachine {
  const isLinux = process.platform === 'linux';
  return {
    openState: () => openStateFolder(stateFolderPath(env)),
    find: findProcessHere(),
    memoryOf: (pid) => (isLinux ? linuxProcessMemory(pid) : undefined),
    engines: () => (isLinux ? linuxEngines() : []),
    measure,
  };
}
