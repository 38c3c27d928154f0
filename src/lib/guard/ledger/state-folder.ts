import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { homeFolder } from '../../home-folder.js';
import { printable } from '../../printable.js';
import { whyNotWritten } from '../../system-words.js';

type Environment = Readonly<Record<string, string | undefined>>;

const OTHERS_MAY = 0o077;

/**
 * Where this user's promises on this machine are kept; `LLMKUBE_STATE_DIR` moves it. Nothing is created.
 * @throws CheckIncompleteError STATE_FOLDER for a path that means another folder wherever a program is started: each would know its own
 * promises only
 */
export function stateFolderPath(env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  const named = env.LLMKUBE_STATE_DIR;
  if (named && !isAbsolute(named)) {
    throw new CheckIncompleteError(
      'STATE_FOLDER',
      `LLMKUBE_STATE_DIR says ${printable(named)}, which is another folder in every working folder, so that no promise would be known elsewhere`,
      { suggestions: ['give it a path that begins with /'] },
    );
  }
  if (named) return named;
  const home = homeFolder(env);
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'llmkube');
  const { XDG_STATE_HOME: states = '' } = env;
  // A relative one is to be ignored: XDG Base Directory Specification.
  return join(isAbsolute(states) ? states : join(home, '.local', 'state'), 'llmkube');
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
    if (problem !== undefined) throw refusedFolder(path, ...problem);
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

/** What is wrong with the folder, to complete "the state folder …", and what to do about it. */
type Problem = readonly [problem: string, remedy: string];

/** Why a folder cannot be trusted with promises, or undefined when it can. */
export function folderProblem(
  found: { isDirectory(): boolean; readonly uid: number },
  ownUid: number,
): Problem | undefined {
  if (!found.isDirectory()) return ['is no folder', 'remove what is in its place'];
  if (found.uid !== ownUid) return [`belongs to another user (uid ${found.uid})`, 'give it to this user with chown'];
  return undefined;
}

const UNREACHABLE = 'make it by hand where folders can be made';
/** What to do where the system does not let it be written, whose reason `whyNotWritten` says. */
const REMEDIES: Readonly<Record<string, string>> = {
  EROFS: 'mount that with write access',
  EACCES: 'make it writable',
  EPERM: 'make it writable',
  ENOSPC: 'make room on it',
  EDQUOT: 'make room on it',
  EFBIG: 'raise the limit on the size of files (ulimit -f)',
  ENOENT: UNREACHABLE,
  ENOTDIR: 'remove that file',
  EEXIST: 'remove the link',
  ELOOP: 'remove the link',
  ENAMETOOLONG: UNREACHABLE,
  ENOTSUP: 'leave it on a local disk that knows hard links',
};
/** What one of those means for something in the folder. */
const PROBLEMS_WITHIN: Readonly<Record<string, Problem>> = {
  ENOTDIR: ['is no folder', 'remove it'],
  EEXIST: ['is no folder', 'remove it'],
  EISDIR: ['is a folder', 'remove it'],
  ENOTEMPTY: ['is a folder', 'remove it'],
};

/** What a failed file operation in the state folder means for a start: it cannot be promised memory, so it is refused. */
export function asStateFailure(path: string, error: unknown): CheckIncompleteError {
  if (error instanceof CheckIncompleteError) return error;
  const { code = 'unknown', path: from = path, dest: at = from } = error as NodeJS.ErrnoException & { dest?: string };
  const within = PROBLEMS_WITHIN[code];
  const inTheWay = code === 'ENOTDIR' ? dirname(at) : at;
  if (within !== undefined && isWithin(path, inTheWay))
    return refusedFolder(path, ...within, `${relative(path, inTheWay)} in `);
  const why = whyNotWritten(error) ?? code;
  return refusedFolder(path, `cannot be written (${why})`, REMEDIES[code] ?? 'look at what is there');
}

function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && !inside.startsWith('..') && existsSync(folder);
}

/** @param what in it, where that is not the folder itself */
function refusedFolder(path: string, problem: string, remedy: string, what = ''): CheckIncompleteError {
  const message = `${printable(what)}the state folder ${printable(path)} ${problem}, so that no memory can be promised`;
  return new CheckIncompleteError('STATE_FOLDER', message, {
    suggestions: [`${remedy}, or name another folder in LLMKUBE_STATE_DIR`],
  });
}
