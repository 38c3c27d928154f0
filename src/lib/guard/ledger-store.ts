import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckIncompleteError } from '../errors.js';
import { formatLedger, parseLedger, type Ledger } from './ledger.js';
import { asStateFailure } from './state-folder.js';

const FILE = 'ledger.json';
/** Far more than a machine can hold processes with models; what is larger was not written by this program. */
const MAX_BYTES = 4 * 2 ** 20;

export interface StoredLedger extends Ledger {
  /** Says what became of a ledger that could not be read. */
  readonly warning?: string;
}

/**
 * The ledger as it stands, empty where there is none. A corrupt one is set aside when `repair` is allowed, which takes the
 * lock, and counts as empty either way, with a warning.
 * @throws CheckIncompleteError STATE_FOLDER, LEDGER_NEWER
 */
export async function readLedger(folder: string, repair: 'repair' | 'leave'): Promise<StoredLedger> {
  const file = join(folder, FILE);
  const text = await readText(folder, file);
  if (text === undefined) return { entries: [] };
  const ledger = text.length > MAX_BYTES ? 'corrupt' : parseLedger(text);
  if (ledger === 'newer') {
    throw new CheckIncompleteError('LEDGER_NEWER', `${file} was written by a newer llmkube than this one`, {
      suggestions: ['use the newest llmkube for every start on this machine'],
    });
  }
  if (ledger !== 'corrupt') return ledger;
  const doubt = 'what was promised before is not known, and engines that run count by what they use';
  if (repair === 'leave') return { entries: [], warning: `the ledger ${file} cannot be read: ${doubt}` };
  const aside = `${file}.corrupt-${randomBytes(4).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    throw asStateFailure(folder, error);
  }
  return { entries: [], warning: `the ledger could not be read and was set aside as ${aside}: ${doubt}` };
}

async function readText(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw asStateFailure(folder, error);
  }
}

/**
 * Writes the ledger whole or not at all, on disk before it counts. Only for the holder of the lock.
 * @throws CheckIncompleteError STATE_FOLDER
 */
export async function writeLedger(folder: string, ledger: Ledger): Promise<void> {
  const temporary = join(folder, `${FILE}.${process.pid}.tmp`);
  try {
    await clearAbandoned(folder);
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(formatLedger(ledger));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(folder, FILE));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asStateFailure(folder, error);
  }
}

/** Whoever writes holds the lock, so any other unfinished file was left by a process that was killed. */
async function clearAbandoned(folder: string): Promise<void> {
  const unfinished = (await readdir(folder)).filter((name) => name.startsWith(`${FILE}.`) && name.endsWith('.tmp'));
  await Promise.all(unfinished.map((name) => rm(join(folder, name), { force: true })));
}
