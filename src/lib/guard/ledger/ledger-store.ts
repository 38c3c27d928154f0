import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { formatLedger, parseLedger, type Ledger } from './ledger.js';
import { MAX_OWN_FILE_BYTES, readOwnFile, writeOwnFile } from '../../own-file.js';
import { removeFile } from './remove-file.js';
import { asStateFailure } from './state-folder.js';

const FILE = 'ledger.json';

export interface StoredLedger extends Ledger {
  /** Says what became of a ledger that could not be read. */
  readonly warning?: string;
}

/**
 * The ledger as it stands, empty where there is none. A corrupt one is set aside when `repair` is allowed, which takes the
 * lock, and counts as empty either way, with a warning.
 * @throws CheckIncompleteError STATE_FOLDER, LEDGER_NEWER
 */
export function readLedger(folder: string, repair: 'repair' | 'leave'): StoredLedger {
  const file = join(folder, FILE);
  const text = readText(folder, file);
  if (text === undefined) return { entries: [] };
  const ledger = text.length > MAX_OWN_FILE_BYTES ? 'corrupt' : parseLedger(text);
  if (ledger === 'newer') {
    throw new CheckIncompleteError('LEDGER_NEWER', `${file} was written by a newer llmkube than this one`, {
      suggestions: ['use the newest llmkube for every start on this machine'],
    });
  }
  if (ledger !== 'corrupt') return ledger;
  const doubt = 'what was promised before is not known, and engines that run count by what they use';
  if (repair === 'leave') return { entries: [], warning: `the ledger ${file} cannot be read: ${doubt}` };
  const aside = `${file}.corrupt-${Date.now()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    throw asStateFailure(folder, error);
  }
  return { entries: [], warning: `the ledger could not be read and was set aside as ${aside}: ${doubt}` };
}

function readText(folder: string, file: string): string | undefined {
  try {
    return readOwnFile(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw asStateFailure(folder, error);
  }
}

/**
 * Writes the ledger whole or not at all, on disk before it counts. Only for the holder of the lock.
 * @throws CheckIncompleteError STATE_FOLDER
 */
export function writeLedger(folder: string, ledger: Ledger): void {
  try {
    clearAbandoned(folder);
    writeOwnFile(join(folder, FILE), formatLedger(ledger), { sync: true });
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
