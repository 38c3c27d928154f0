import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import type { HostMemory } from '../../host/host-memory.js';
import { printable } from '../../printable.js';
import { formatLedger, parseLedger, type Ledger } from './ledger.js';
import { MAX_OWN_FILE_BYTES, readOwnFile, writeOwnFile } from '../../own-file.js';
import { machineHere } from './machine-here.js';
import { removeFile } from './remove-file.js';
import { asStateFailure } from './state-folder.js';

const FILE = 'ledger.json';
const ASIDE = '.corrupt-';

export interface StoredLedger extends Ledger {
  /** Says what became of a ledger that could not be read. */
  readonly warning?: string;
  /** What was promised is not known, and where it stood: there, or in a ledger that was set aside before. */
  readonly lostIn?: string;
}

/**
 * The ledger as it stands, empty where there is none. A corrupt one is set aside when `repair` is allowed, which takes the
 * lock, and counts as empty either way, with a warning; what it promised is not known for as long as the file that was set aside is there. One of
 * another machine counts as empty, and is not written over.
 * @throws CheckIncompleteError STATE_FOLDER, LEDGER_NEWER
 */
export function readLedger(
  folder: string,
  repair: 'repair' | 'leave',
  machine: string | undefined = machineHere(),
): StoredLedger {
  const file = join(folder, FILE);
  const text = readText(folder, file);
  const before = setAside(folder);
  const lost = before === undefined ? {} : { lostIn: before };
  if (text === undefined) return { entries: [], ...lost };
  const ledger = text.length > MAX_OWN_FILE_BYTES ? 'corrupt' : parseLedger(text);
  if (ledger === 'newer') {
    throw new CheckIncompleteError('LEDGER_NEWER', `${file} was written by a newer llmkube than this one`, {
      suggestions: ['use the newest llmkube for every start on this machine'],
    });
  }
  if (ledger !== 'corrupt') {
    return isElsewhere(ledger, machine) ? ofAnotherMachine(file, repair) : { entries: ledger.entries, ...lost };
  }
  const doubt = 'what was promised before is not known, and engines that run count by what they use';
  if (repair === 'leave') return { entries: [], lostIn: file, warning: `the ledger ${file} cannot be read: ${doubt}` };
  const aside = `${file}${ASIDE}${Date.now()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    throw asStateFailure(folder, error);
  }
  return {
    entries: [],
    lostIn: aside,
    warning: `the ledger could not be read and was set aside as ${aside}: ${doubt}`,
  };
}

/** A ledger that was set aside and is still there; its processes may run. */
function setAside(folder: string): string | undefined {
  try {
    const name = readdirSync(folder).find((candidate) => candidate.startsWith(`${FILE}${ASIDE}`));
    return name && join(folder, name);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asStateFailure(folder, error);
  }
}

/**
 * A measured machine beside a ledger whose promises are not all known, with a note where they would have counted: without an absolute budget what
 * engines use is part of what is in use anyway.
 */
export function besideLost(host: HostMemory, { lostIn }: StoredLedger, absoluteBytes: number | undefined): HostMemory {
  if (lostIn === undefined) return host;
  const note = `what was promised before is not known, so the memory budget counts all that is in use, until ${lostIn} is removed: do that when everything that was started before has ended`;
  return { ...host, promisesUnknown: true, notes: absoluteBytes === undefined ? host.notes : [...host.notes, note] };
}

/** Processes of a machine cannot be looked up from another one, and would all seem dead. */
function isElsewhere({ entries, machine }: Ledger, here: string | undefined): boolean {
  return machine !== undefined && here !== undefined && machine !== here && entries.length > 0;
}

function ofAnotherMachine(file: string, repair: 'repair' | 'leave'): StoredLedger {
  const problem = `${printable(file)} is the ledger of another machine, as where home folders are shared`;
  if (repair === 'leave') return { entries: [], lostIn: file, warning: `${problem}: nothing in it counts here` };
  throw new CheckIncompleteError('STATE_FOLDER', problem, {
    suggestions: [
      'name a folder of this machine alone in LLMKUBE_STATE_DIR, or remove the file where this machine has taken the place of the other',
    ],
  });
}

function readText(folder: string, file: string): string | undefined {
  try {
    return readOwnFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asStateFailure(folder, error);
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Writes the ledger whole or not at all, on disk before it counts. Only for the holder of the lock.
 * @throws CheckIncompleteError STATE_FOLDER
 */
export function writeLedger(folder: string, ledger: Ledger): void {
  try {
    clearAbandoned(folder);
    const machine = machineHere();
    writeOwnFile(join(folder, FILE), formatLedger({ ...ledger, ...(machine !== undefined && { machine }) }), {
      sync: true,
    });
  } catch (error) {
    throw asStateFailure(folder, error);
  }
}

/** Whoever writes holds the lock, so any other unfinished file was left by a process that was killed. */
function clearAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${FILE}.`) && name.endsWith('.tmp')) removeFile(join(folder, name));
  }
}
