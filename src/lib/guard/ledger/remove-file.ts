import { unlinkSync } from 'node:fs';

/** Removes a file that may be gone already; `rmSync` would load what removes whole trees, into a process that stays. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
