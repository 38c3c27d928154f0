import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';

/**
 * Opens a file of this program's own. Never waits: without O_NONBLOCK, opening a named pipe waits for its other end.
 * @param flags of `open`, such as `constants.O_RDONLY`
 * @throws CheckIncompleteError STATE_FOLDER for a pipe, a device or a folder in its place; the system's own error
 */
export function openOwnFile(path: string, flags: number): number {
  const file = tryOpen(path, flags);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw notAFile(path);
}

/** The text of such a file. */
export function readOwnFile(path: string): string {
  const file = openOwnFile(path, constants.O_RDONLY);
  try {
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
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
