import { delimiter, join, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import { firstRunnable } from '../../host/processes/runnable.js';
import { printable } from '../../printable.js';

/**
 * The file that a shell would run for a name: looked up in `PATH`, or as it is when it names a folder.
 * @throws UsageError PROGRAM_NOT_FOUND
 */
export function findProgram(name: string, path: string | undefined, cwd: string): string {
  const places = name.includes('/')
    ? [cwd]
    : (path ?? '').split(delimiter).map((folder) => resolve(cwd, folder || '.'));
  const found = firstRunnable(
    places.map((folder) => (name.includes('/') ? resolve(folder, name) : join(folder, name))),
  );
  if (found !== undefined) return found;
  throw new UsageError('PROGRAM_NOT_FOUND', `${printable(name)} is not a program that can be run here`, {
    suggestions: ['give its whole path, or look at PATH and at the permissions of the file'],
  });
}
