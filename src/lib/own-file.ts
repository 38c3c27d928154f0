import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { CheckIncompleteError } from './errors.js';
import { printable } from './printable.js';

/** Far more than the ledger of any machine, or anything else that this program keeps for itself. */
export const MAX_OWN_FILE_BYTES = 4 * 2 ** 20;

/**
 * Opens a file of this program's own. Never waits: without O_NONBLOCK, opening a named pipe waits for its other end. Nothing is written
 * through a link.
 * @param flags of `open`, such as `constants.O_RDONLY`
 * @throws CheckIncompleteError STATE_FOLDER for a pipe, a device, a folder or, to be written, a link in its place; the system's own error
 */
export function openOwnFile(path: string, flags: number): number {
  const file = tryOpen(path, (flags & constants.O_WRONLY) === 0 ? flags : flags | constants.O_NOFOLLOW);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw notAFile(path);
}

/** The text of such a file; of one that is longer than `MAX_OWN_FILE_BYTES`, which this program did not write, only as much and a little more. */
export function readOwnFile(path: string): string {
  const file = openOwnFile(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(Math.min(fstatSync(file).size, MAX_OWN_FILE_BYTES + 1));
    let length = 0;
    while (length < buffer.length) {
      const bytesRead = readSync(file, buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes such a file whole or not at all: beside, under a name that nothing has, and then renamed into its place, whatever was there (a pipe, a
 * link, a device).
 * @param sync on disk before it counts
 * @throws the system's own error
 */
export function writeOwnFile(path: string, text: string, { sync = false } = {}): void {
  // Not by node:crypto, which would stay in memory as long as the server that `exec` waits for.
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeFileSync(file, text);
      if (sync) fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

/** Takes away what is no regular file, itself and not what it leads to, so that a file can be made in its place. */
export function removeOddFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) rmSync(path, { force: true });
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in nobody's way.
  }
}

/** A pipe that nobody reads cannot be opened to be written, nor a folder. */
function tryOpen(path: string, flags: number): number {
  try {
    return openSync(path, flags | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false && !isDangling(error)) throw notAFile(path);
    throw error;
  }
}

function isDangling(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function notAFile(path: string): CheckIncompleteError {
  return new CheckIncompleteError('STATE_FOLDER', `${printable(path)} is no regular file`, {
    suggestions: ['remove it, or name another state folder in LLMKUBE_STATE_DIR'],
  });
}
