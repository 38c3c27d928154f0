import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckIncompleteError } from '../errors.js';
import { sameProcess, type FindProcess, type ProcessIdentity } from '../host/processes.js';
import { asStateFailure } from './state-folder.js';

/** Turns that stay on disk behind the newest: far more than can be taken while one listing of the folder is read. */
const KEPT_TURNS = 16;
const PATIENCE_MS = 60_000;
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 60;

const TURN = /^turn\.(\d+)$/;

interface Surroundings {
  readonly self: ProcessIdentity;
  readonly find: FindProcess;
}

/**
 * Runs `work` while no other process of this machine does. Turns are numbered files that say who has them: the highest
 * number holds the lock until its file is emptied or the process in it is dead; then exactly one gets to link the next number.
 * Nothing is ever taken away from a holder, so there is no moment at which two can think that they broke the same lock.
 * @throws CheckIncompleteError STATE_FOLDER, GUARD_BUSY
 */
export async function withLock<T>(folder: string, { self, find }: Surroundings, work: () => Promise<T>): Promise<T> {
  const claim = join(folder, `claim.${self.pid}.${randomBytes(6).toString('hex')}`);
  let turn: number;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(claim, JSON.stringify(self), { mode: 0o600, flag: 'wx' });
    turn = await takeTurn(folder, claim, find);
  } catch (error) {
    throw asStateFailure(folder, error);
  } finally {
    await rm(claim, { force: true }).catch(() => undefined);
  }
  try {
    return await work();
  } finally {
    await endTurn(folder, turn, find);
  }
}

async function takeTurn(folder: string, claim: string, find: FindProcess): Promise<number> {
  const startedAt = performance.now();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    const newest = await newestTurn(folder);
    const next = turnFile(folder, newest + 1);
    if (newest === 0 || (await isFree(turnFile(folder, newest), find))) {
      if (await linked(claim, next)) {
        // A number that was given out and cleared away long ago is no turn.
        if ((await newestTurn(folder)) === newest + 1) return newest + 1;
        await rm(next, { force: true });
      }
    } else if (performance.now() - startedAt > PATIENCE_MS) {
      throw new CheckIncompleteError('GUARD_BUSY', `another start has been deciding for ${PATIENCE_MS / 1000} s`, {
        suggestions: [`look at the process that is named in ${turnFile(folder, newest)}`],
      });
    }
    await sleep(wait * (0.5 + Math.random()));
  }
}

function turnFile(folder: string, turn: number): string {
  return join(folder, `turn.${turn}`);
}

async function newestTurn(folder: string): Promise<number> {
  return Math.max(0, ...(await readdir(folder)).map((name) => Number(TURN.exec(name)?.[1] ?? 0)));
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** True when the turn was ended or its holder is dead. */
async function isFree(file: string, find: FindProcess): Promise<boolean> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    // Cleared away: others have gone on since the folder was listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const holder = parseIdentity(text);
  return holder === undefined || !sameProcess(find(holder.pid), holder);
}

/** A claim is complete before it is linked, so a turn that names nobody was ended, or lost with the machine's power. */
function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

/** Never fails: a turn that cannot be ended here ends with this process. Emptying a file needs no room on a full disk. */
async function endTurn(folder: string, turn: number, find: FindProcess): Promise<void> {
  try {
    const old = (await readdir(folder)).filter((name) => isOld(name, turn, find));
    await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
  } catch {
    // What is left over is cleared away by a later turn.
  }
  await truncate(turnFile(folder, turn)).catch(() => undefined);
}

/** Turns far behind, and claims of processes that were killed before they had removed them. */
function isOld(name: string, turn: number, find: FindProcess): boolean {
  const number = TURN.exec(name)?.[1];
  if (number !== undefined) return Number(number) < turn - KEPT_TURNS;
  const claimant = /^claim\.(\d+)\./.exec(name)?.[1];
  return claimant !== undefined && find(Number(claimant)) === undefined;
}
