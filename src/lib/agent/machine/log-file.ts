import { closeSync, constants, copyFileSync, fstatSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';
import { openOwnFile, removeOddFile } from '../../own-file.js';
import { printable } from '../../printable.js';

/** A server's log beyond this size becomes the older one; two are kept. */
const LONGEST_LOG_BYTES = 16 * 2 ** 20;
const TAIL_BYTES = 16 * 1024;
const HEAD_BYTES = 2 * 2 ** 20;

/** Opens the log of a new start: what was there before is kept as `.1`. Writes are appended, so it can be emptied later. */
export function openLog(path: string): number {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // The first start has nothing to keep.
  }
  return openOwnFile(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
}

/** Keeps the log of a running server from growing without end. */
export function rotateLog(path: string): void {
  try {
    if (statSync(path).size <= LONGEST_LOG_BYTES) return;
    removeOddFile(`${path}.1`);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  } catch {
    // A full disk is no reason to touch the server.
  }
}

/** The beginning, where a server says what it allocates. */
export function logHead(path: string): string {
  return part(path, (size) => [0, Math.min(size, HEAD_BYTES)]);
}

/** The last lines, fit to be shown. */
export function logTail(path: string, lines: number): string {
  const text = part(path, (size) => [Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES)]);
  const last = text.split('\n').filter((line) => line.trim() !== '');
  return last.slice(-lines).map(printable).join('\n');
}

function part(path: string, range: (size: number) => [from: number, length: number]): string {
  let file: number | undefined;
  try {
    file = openOwnFile(path, constants.O_RDONLY);
    const [from, length] = range(fstatSync(file).size);
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(file, buffer, 0, length, from)).toString('utf8');
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
