import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { CheckIncompleteError } from '../errors.js';
import { sameProcess, type ProcessIdentity } from '../host/processes/processes.js';
import { decide, requirementOf, type Decision, type LaunchRequest } from './decide.js';
import { fingerprint } from './fingerprint.js';
import { isoTime } from './ledger/iso-time.js';
import { startGated, type GatedProcess, type Program } from './gate.js';
import { liveProcesses, type GuardMachine } from './guard-machine.js';
import type { LedgerEntry } from './ledger/ledger.js';
import { besideLost, readLedger, writeLedger } from './ledger/ledger-store.js';
import { withLock } from './ledger/lock.js';
import { promiseOf, type MemoryPromise } from './ledger/promise.js';

/** A program that may run only if it fits. */
export interface GuardedLaunch extends LaunchRequest {
  /** The service or the command, as the ledger shows it. */
  readonly who: string;
  readonly program: Program;
  /** Whose server it is, for the ledger. */
  readonly mark?: string;
  /** Somebody has said that it is to run all the same; what it takes is written down in full. */
  readonly evenIfTooLarge?: boolean;
  /** This process is nothing but the program's guard: what it was promised itself, by another guard before it, is for the program. */
  readonly takesOverOwn?: boolean;
}

/** `started`: the program runs, and is in the ledger. `refused`: nothing was written and nothing runs. */
export type GuardOutcome = Decision & {
  /** What became of a ledger that could not be read. */
  readonly warning?: string;
} & ({ readonly kind: 'started'; readonly started: StartedProcess } | { readonly kind: 'refused' });

export interface StartedProcess extends MemoryPromise {
  readonly child: ChildProcess;
  readonly entry: LedgerEntry;
}

/**
 * Checks a launch against this machine as it is now and what is promised on it, writes it into the ledger and starts it:
 * one decision at a time on the whole machine, while loading goes on side by side.
 * @throws CheckIncompleteError when it cannot be decided or written down; then nothing runs
 * @throws UsageError INVALID_FRACTION
 */
export async function guardedSpawn(launch: GuardedLaunch, machine: GuardMachine): Promise<GuardOutcome> {
  const folder = machine.openState();
  const outcome = await exclusively(folder, machine, async (self) => {
    const ledger = readLedger(folder, 'repair');
    const { entries: all, warning } = ledger;
    const entries = all.filter((entry) => !isTakenOver(entry, launch, self));
    const processes = liveProcesses(entries, machine);
    const found = await machine.measure(processes.map(({ pid }) => pid));
    const measured = besideLost(found, ledger, launch.policy.absoluteBytes);
    const decision = decide(launch, { entries, processes, measured });
    const said = { ...decision, ...(warning !== undefined && { warning }) };
    if (decision.verdict.kind === 'does-not-fit' && !launch.evenIfTooLarge)
      return { ...said, kind: 'refused' as const };
    const gated = await startGated(launch.program);
    try {
      const entry = newEntry(launch, decision, identityOf(gated, machine));
      writeLedger(folder, { entries: [...decision.live, entry] });
      const started = { child: gated.child, entry, ...promiseOf(entry, machine) };
      return { ...said, kind: 'started' as const, gated, started };
    } catch (error) {
      gated.abandon();
      throw error;
    }
  });
  if (outcome.kind === 'started') outcome.gated.open();
  return outcome;
}

/** What this process was promised for this very program, before there was one. */
function isTakenOver(entry: LedgerEntry, { takesOverOwn, who }: GuardedLaunch, self: ProcessIdentity): boolean {
  return sameProcess(entry, self) && (takesOverOwn === true || (entry.kept === true && entry.who === who));
}

function exclusively<T>(
  folder: string,
  { find }: GuardMachine,
  work: (self: ProcessIdentity) => Promise<T>,
): Promise<T> {
  const self = find(process.pid);
  if (self === undefined) throw processUnknown(process.pid);
  return withLock(join(folder, 'lock'), { self, find }, () => work(self));
}

function identityOf({ pid }: GatedProcess, { find }: GuardMachine): ProcessIdentity {
  const identity = find(pid);
  if (identity === undefined) throw processUnknown(pid);
  return identity;
}

function processUnknown(pid: number): CheckIncompleteError {
  return new CheckIncompleteError('PROCESS_UNKNOWN', `process ${pid} cannot be told from others on this machine`, {
    suggestions: ['see that /proc is mounted on Linux, and that ps runs elsewhere'],
  });
}

function newEntry(
  { who, program, mark, estimate, accelerator }: GuardedLaunch,
  { host }: Decision,
  identity: ProcessIdentity,
): LedgerEntry {
  return {
    who,
    ...identity,
    argvHash: fingerprint(JSON.stringify([program.file, ...program.args])),
    requirement: requirementOf({ estimate, accelerator }, host),
    decidedAt: isoTime(Date.now()),
    state: 'promised',
    ...(mark !== undefined && { mark }),
  };
}
