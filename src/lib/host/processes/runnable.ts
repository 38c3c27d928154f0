import { accessSync, constants, statSync } from 'node:fs';

/** The first of these files that this user may run. */
export function firstRunnable(files: readonly string[]): string | undefined {
  return files.find(isRunnable);
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
