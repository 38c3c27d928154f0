import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';

type Environment = Readonly<Record<string, string | undefined>>;

const OTHERS_MAY = 0o077;

/** Where this user's promises on this machine are kept; `LLMKUBE_STATE_DIR` moves it. Nothing is created. */
export function stateFolderPath(env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.LLMKUBE_STATE_DIR) return env.LLMKUBE_STATE_DIR;
  const home = env.HOME || homedir();
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'llmkube');
  return join(env.XDG_STATE_HOME || join(home, '.local', 'state'), 'llmkube');
}

/**
 * Creates the folder where it is missing, and closes it to others (0700).
 * @throws CheckIncompleteError STATE_FOLDER for one that is not this user's own, no folder, or cannot be had
 */
export function openStateFolder(path: string): string {
  try {
    makeFolder(path);
    const found = statSync(path);
    const problem = folderProblem(found, process.getuid?.() ?? 0);
    if (problem !== undefined) throw refusedFolder(path, problem);
    if ((found.mode & OTHERS_MAY) !== 0) chmodSync(path, 0o700);
    return path;
  } catch (error) {
    throw asStateFailure(path, error);
  }
}

/**
 * Makes a folder (0700) and those above it. Node's `mkdirSync` with `recursive` never ends where the system says of a parent that is
 * there that it is not, as below /proc.
 * @throws the system's own error
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was faster.
    if (!existsSync(path)) throw error;
  }
}

/** Why a folder cannot be trusted with promises, or undefined when it can. */
export function folderProblem(
  found: { isDirectory(): boolean; readonly uid: number },
  ownUid: number,
): string | undefined {
  if (!found.isDirectory()) return 'is no folder';
  if (found.uid !== ownUid) return `belongs to another user (uid ${found.uid})`;
  return undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'is on a file system that is read-only',
  EACCES: 'may not be written by this user',
  EPERM: 'may not be written by this user',
  ENOSPC: 'is on a disk that is full',
  EDQUOT: 'is on a disk whose quota is used up',
  EFBIG: 'may not take files of this size',
  ENOTDIR: 'is no folder',
  EEXIST: 'is no folder',
  ELOOP: 'is a chain of links that leads nowhere',
  ENOTSUP: 'is on a file system without hard links',
};

/** What a failed file operation in the state folder means for a start: it cannot be promised memory, so it is refused. */
export function asStateFailure(path: string, error: unknown): CheckIncompleteError {
  if (error instanceof CheckIncompleteError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return refusedFolder(path, REASONS[code] ?? `cannot be used (${code})`);
}

function refusedFolder(path: string, problem: string): CheckIncompleteError {
  return new CheckIncompleteError('STATE_FOLDER', `the state folder ${printable(path)} ${problem}`, {
    suggestions: ['make it writable, or name another one in LLMKUBE_STATE_DIR'],
  });
}
