import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Repositories nest their files two or three deep. */
const DEEPEST = 8;
/** The largest repositories have some thousand files. */
const MOST_PATHS = 10_000;

/**
 * What lies under a folder, folders left out, as paths below it with `/`; none where there is no such folder. Links to folders are
 * not followed: they may lead in a circle, or anywhere. Of a tree that nobody's store has, only the beginning.
 */
export async function pathsUnder(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  let level: readonly string[] = [''];
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth++) {
    const below: string[] = [];
    for (const folder of level) {
      if (paths.length + below.length > MOST_PATHS) return paths;
      for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        (entry.isDirectory() ? below : paths).push(path);
      }
    }
    level = below;
  }
  return paths.slice(0, MOST_PATHS);
}
