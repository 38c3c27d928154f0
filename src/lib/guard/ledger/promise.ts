import { join } from 'node:path';
import { sameProcess, type ProcessIdentity } from '../../host/processes/processes.js';
import type { GuardMachine } from '../guard-machine.js';
import type { LedgerEntry } from './ledger.js';
import { readLedger, writeLedger } from './ledger-store.js';
import { withLock } from './lock.js';

/** What the ledger promises to one process. Nothing here fails: an entry counts in full while its process lives, and for nothing after. */
export interface MemoryPromise {
  /** Notes that all of its memory has arrived. */
  markResident(): Promise<void>;
  /** Takes it out of the ledger, once the process has ended. */
  release(): Promise<void>;
  /** Keeps it for the process that follows one that has ended, for as long as this process lives. */
  keep(): Promise<void>;
}

/** @param entry its process, and whom the ledger calls it */
export function promiseOf(
  { who, pid, startedAt }: ProcessIdentity & Pick<LedgerEntry, 'who'>,
  { openState, find }: Pick<GuardMachine, 'openState' | 'find'>,
): MemoryPromise {
  let holder: ProcessIdentity = { pid, startedAt };
  const isIt = (other: LedgerEntry): boolean => sameProcess(other, holder) && other.who === who;
  const rewrite = async (change: (entry: LedgerEntry, self: ProcessIdentity) => readonly LedgerEntry[]) => {
    const self = find(process.pid);
    if (self === undefined) return;
    try {
      const folder = openState();
      await withLock(join(folder, 'lock'), { self, find }, async () => {
        const { entries } = readLedger(folder, 'leave');
        if (!entries.some(isIt)) return;
        writeLedger(folder, { entries: entries.flatMap((other) => (isIt(other) ? change(other, self) : [other])) });
      });
    } catch {
      // The entry stands as it was, and counts in full while its process lives.
    }
  };
  return {
    markResident: () => rewrite((entry) => [{ ...entry, state: 'resident' }]),
    release: () => rewrite(() => []),
    keep: () =>
      rewrite((entry, self) => {
        holder = self;
        return [{ ...entry, ...self, state: 'promised', kept: true }];
      }),
  };
}
