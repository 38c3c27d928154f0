import { accessSync, constants, statSync } from 'node:fs';
import { delimiter } from 'node:path';

/** The folders that `PATH` lists. */
export function pathFolders(path = ''): readonly string[] {
  return path.split(delimiter).filter((folder) => folder !== '');
}

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
