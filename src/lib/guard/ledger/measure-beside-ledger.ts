import type { HostMemory } from '../../host/host-memory.js';
import type { MachineRequest, MeasureHost } from '../../host/measure-host.js';
import { findProcessHere } from '../../host/processes/processes.js';
import { guardHere, liveProcesses } from '../guard-machine.js';
import type { LedgerEntry } from './ledger.js';
import { besideLost, readLedger } from './ledger-store.js';
import { liveEntries, withReservations } from './reservations.js';
import { stateFolderPath } from './state-folder.js';

/** What is promised on this machine now. */
export interface PromisedMemory {
  readonly folder: string;
  /** Of processes that run. */
  readonly entries: readonly LedgerEntry[];
  /** Says why the ledger could not be read. */
  readonly warning?: string;
}

/** @param find who is running; @throws CheckIncompleteError STATE_FOLDER, LEDGER_NEWER */
export function promisedHere(env: NodeJS.ProcessEnv = process.env, find = findProcessHere()): PromisedMemory {
  const folder = stateFolderPath(env);
  const { entries, lostIn, warning = lostIn && `what ${lostIn} promised is not known` } = readLedger(folder, 'leave');
  const processes = liveProcesses(entries, { find, memoryOf: () => undefined });
  return { folder, entries: liveEntries(entries, processes), ...(warning !== undefined && { warning }) };
}

/**
 * A machine as `measureHost` measures it, with what this machine's ledger promises told apart; an amount in use that somebody gave
 * is taken to have it in already.
 * @param leaving whose processes are taken to have ended
 */
export function besideLedger(
  measure: MeasureHost,
  { env = process.env, leaving }: { readonly env?: NodeJS.ProcessEnv; readonly leaving?: string | undefined } = {},
): MeasureHost {
  return async (request: MachineRequest): Promise<HostMemory> => {
    if (request.systemMemoryBytes !== undefined || request.inUseBytes !== undefined) return measure(request);
    const ledger = readLedger(stateFolderPath(env), 'leave');
    const { entries, warning } = ledger;
    const processes = liveProcesses(entries, guardHere(request, measure, env));
    const host = await measure({ ...request, ledgered: processes.map(({ pid }) => pid) });
    if (host.source !== 'measured') return host;
    const adjusted = besideLost(withReservations(host, entries, processes, leaving), ledger, request.budgetBytes);
    return warning === undefined ? adjusted : { ...adjusted, notes: [...adjusted.notes, warning] };
  };
}
