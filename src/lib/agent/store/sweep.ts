import { readdirSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import type { ModelResource } from '../../kube/client/api.js';
import { foldersOf, modelFolder } from './model-files.js';

/** What nobody names any more is kept this long: a Model that is made again need not be fetched again. */
const KEPT_MS = 24 * 3_600_000;
/** Says since when. */
const MARK = '.unused-since';

export interface Sweep {
  readonly folder: string;
  /** Only of this one is it known which Models there are; unset = of all. */
  readonly namespace: string | undefined;
  readonly models: readonly ModelResource[];
  /** Files that processes of this host have been given. */
  readonly inUse: readonly string[];
  readonly nowMs: number;
}

/**
 * Removes fetched models that no Model has named for a day and no process uses. Only folders as the store makes them
 * (`namespace/model/source`) are touched.
 * @returns the folders that were removed
 */
export function sweepStore({ folder, namespace, models, inUse, nowMs }: Sweep): readonly string[] {
  const isPartial = (model: ModelResource): boolean => model.partial === true;
  const unread = new Set(models.filter(isPartial).map((model) => foldersOf(folder, model)));
  const read = models.filter((model) => !isPartial(model));
  const named = new Set(read.flatMap((model) => modelFolder(folder, model) ?? []));
  const removed: string[] = [];
  for (const space of namespace === undefined ? folders(folder) : [encodeURIComponent(namespace)]) {
    for (const model of folders(join(folder, space))) {
      // What it names was not read.
      if (unread.has(join(folder, space, model))) continue;
      for (const source of folders(join(folder, space, model)).filter((name) => /^[0-9a-f]{12}$/.test(name))) {
        const path = join(folder, space, model, source);
        const isUsed = named.has(path) || inUse.some((file) => file.startsWith(path + sep));
        if (isUsed) rmSync(join(path, MARK), { force: true });
        else if (nowMs - unusedSince(path, nowMs) > KEPT_MS) removed.push(path);
      }
    }
  }
  for (const path of removed) rmSync(path, { recursive: true, force: true });
  return removed;
}

/** By a mark in the folder; a clock that went back begins anew. */
function unusedSince(path: string, nowMs: number): number {
  const mark = join(path, MARK);
  try {
    const since = Number(readOwnFile(mark));
    if (Number.isFinite(since) && since > 0 && since <= nowMs) return since;
  } catch {
    // It was named until now.
  }
  writeOwnFile(mark, String(nowMs));
  return nowMs;
}

function folders(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
