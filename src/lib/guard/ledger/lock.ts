import { linkSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { parseBoundedJson } from '../../bounded-json.js';
import { dirname, join } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { sameProcess, type FindProcess, type ProcessIdentity } from '../../host/processes/processes.js';
import { readOwnFile } from '../../own-file.js';
import { removeFile } from './remove-file.js';
import { asStateFailure, makeFolder } from './state-folder.js';

/** Turns that stay on disk behind the newest: far more than can be taken while one listing of the folder is read. */
const KEPT_TURNS = 16;
/** By a clock that only goes forward. */
const PATIENCE_S = 60;
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 60;

/** Of numbers that can be counted on from. */
const TURN = /^turn\.(\d{1,15})$/;

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
  const claim = join(folder, `claim.${self.pid}.${Math.random().toString(36).slice(2)}`);
  let turn: number;
  try {
    makeFolder(folder);
    writeFileSync(claim, JSON.stringify(self), { mode: 0o600, flag: 'wx' });
    turn = await takeTurn(folder, claim, find);
  } catch (error) {
    throw asStateFailure(dirname(folder), error);
  } finally {
    tryTo(() => removeFile(claim));
  }
  try {
    return await work();
  } finally {
    endTurn(folder, turn, find);
  }
}

async function takeTurn(folder: string, claim: string, find: FindProcess): Promise<number> {
  const startedAt = process.uptime();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    const newest = newestTurn(folder);
    const next = turnFile(folder, newest + 1);
    if (newest === 0 || isFree(turnFile(folder, newest), find)) {
      if (linked(claim, next)) {
        // A number that was given out and cleared away long ago is no turn.
        if (newestTurn(folder) === newest + 1) return newest + 1;
        removeFile(next);
      }
    }
    if (process.uptime() - startedAt > PATIENCE_S) {
      throw new CheckIncompleteError('GUARD_BUSY', `another start has been deciding for ${PATIENCE_S} s`, {
        suggestions: [`look at the process that is named in ${turnFile(folder, newest)}`],
      });
    }
    await sleep(wait * (0.5 + Math.random()));
  }
}

function turnFile(folder: string, turn: number): string {
  return join(folder, `turn.${turn}`);
}

function newestTurn(folder: string): number {
  return Math.max(0, ...readdirSync(folder).map((name) => Number(TURN.exec(name)?.[1] ?? 0)));
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** True when the turn was ended or its holder is dead. */
function isFree(file: string, find: FindProcess): boolean {
  let text: string;
  try {
    text = readOwnFile(file);
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
    const { pid, startedAt } = parseBoundedJson(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

/** Never fails: a turn that cannot be ended here ends with this process. Emptying a file needs no room on a full disk. */
function endTurn(folder: string, turn: number, find: FindProcess): void {
  tryTo(() => {
    for (const name of readdirSync(folder)) {
      if (isOld(name, turn, find)) removeFile(join(folder, name));
    }
  });
  tryTo(() => truncateSync(turnFile(folder, turn)));
}

/** Turns far behind, and claims of processes that were killed before they had removed them. */
function isOld(name: string, turn: number, find: FindProcess): boolean {
  const number = TURN.exec(name)?.[1];
  if (number !== undefined) return Number(number) < turn - KEPT_TURNS;
  const claimant = /^claim\.(\d+)\./.exec(name)?.[1];
  return claimant !== undefined && find(Number(claimant)) === undefined;
}

function tryTo(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // A later turn clears away what this one could not.
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
