import type { HostMemory } from '../host/host-memory.js';
import type { MachineRequest } from '../host/measure-host.js';
import { linuxProcessMemory } from '../host/processes/process-memory.js';
import { findProcessHere, type FindProcess } from '../host/processes/processes.js';
import type { LedgerEntry } from './ledger/ledger.js';
import type { LiveProcess } from './ledger/reservations.js';
import { openStateFolder, stateFolderPath } from './ledger/state-folder.js';

/** What the guard asks of the machine, so that tests can answer in its place. */
export interface GuardMachine {
  /** @throws CheckIncompleteError STATE_FOLDER */
  readonly openState: () => string;
  readonly find: FindProcess;
  /** Of one process; undefined where it is gone or cannot be said. */
  readonly memoryOf: (pid: number) => Omit<LiveProcess, 'pid' | 'startedAt'> | undefined;
  /** @param ledgered processes whose mapped weights are not to be counted; @throws CheckIncompleteError */
  readonly measure: (ledgered: readonly number[]) => Promise<HostMemory>;
}

/** This machine. `measure` is `measureHost`, or what stands in for it. */
export function guardHere(
  request: MachineRequest,
  measure: (request: MachineRequest) => Promise<HostMemory>,
  env: NodeJS.ProcessEnv = process.env,
): GuardMachine {
  return {
    openState: () => openStateFolder(stateFolderPath(env)),
    find: findProcessHere(),
    memoryOf: (pid) => (process.platform === 'linux' ? linuxProcessMemory(pid) : undefined),
    measure: (ledgered) => measure({ ...request, ledgered }),
  };
}

/** Those processes of the ledger that run, with what they hold. */
export function liveProcesses(
  entries: readonly LedgerEntry[],
  { find, memoryOf }: Pick<GuardMachine, 'find' | 'memoryOf'>,
): readonly LiveProcess[] {
  return entries.flatMap(({ pid, startedAt, kept }) => {
    const identity = find(pid);
    if (identity?.startedAt !== startedAt) return [];
    return [kept === true ? identity : { ...memoryOf(pid), ...identity }];
  });
}
