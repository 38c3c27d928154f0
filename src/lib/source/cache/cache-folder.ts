import { createHash, createHmac, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseBoundedJson } from '../../bounded-json.js';
import { UsageError } from '../../errors.js';
import { shown } from '../../printable.js';
import { whyNotWritten } from '../../system-words.js';
import { readRegularFile } from '../../read-regular-file.js';
import type { FolderNames } from '../stores/folder-names.js';

/** The parser keeps other things than before, so older entries must not answer: raise the number. */
const FOLDER = 'headers-v1';

/** Some 5 MB on disk; the least recently used go first. */
const MAX_ENTRIES = 1000;

/** A header of a thousand distinct tensors is a tenth of this; anything longer was not written by this program. */
const MAX_ENTRY_BYTES = 8 * 2 ** 20;

/** A temporary file this old was left by a process that was killed. */
const ABANDONED_MS = 60 * 60 * 1000;

export interface CacheUsage {
  readonly path: string;
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Small files under the user's cache folder, a line with the sum of key and content and a line of JSON. They are found by a
 * key that itself is never stored, since it can hold secrets; who does not know it cannot change what an entry says.
 * Safe with many processes: entries are written beside and renamed into place. Never fails: what cannot be read is not
 * there, what cannot be written is not kept.
 */
export class CacheFolder {
  readonly path: string;

  constructor(
    cacheDir: string,
    private readonly known?: FolderNames,
  ) {
    this.path = join(cacheDir, FOLDER);
  }

  async read(key: string): Promise<unknown> {
    const known = await this.known?.in(this.path);
    // A name takes longer to make than to look up.
    if (known?.size === 0) return undefined;
    const name = nameOf(key);
    if (known?.has(name) === false) return undefined;
    const file = join(this.path, name);
    try {
      const [sum, json = ''] = (await readRegularFile(file, MAX_ENTRY_BYTES)).split('\n', 2);
      // Changed, or put in the place of another: it says nothing.
      if (sum !== sumOf(key, json)) return undefined;
      const value = parseBoundedJson(json);
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
      return value;
    } catch {
      return undefined;
    }
  }

  async write(key: string, value: object): Promise<void> {
    const temporary = join(this.path, `${randomBytes(12).toString('hex')}.tmp`);
    try {
      await makeFolder(this.path);
      const json = JSON.stringify(value);
      await writeFile(temporary, `${sumOf(key, json)}\n${json}`, { mode: 0o600, flag: 'wx' });
      await rename(temporary, join(this.path, nameOf(key)));
      await this.#evict();
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async usage(): Promise<CacheUsage> {
    const files = await this.#list();
    const entries = files.filter(({ name }) => name.endsWith('.json'));
    return { path: this.path, entries: entries.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** Removes everything; returns what was there. */
  async clear(): Promise<CacheUsage> {
    const usage = await this.usage();
    try {
      await rm(this.path, { recursive: true, force: true });
    } catch (error) {
      const reason = whyNotWritten(error) ?? shown(String(error));
      throw new UsageError('CACHE_UNUSABLE', `the cache folder ${shown(this.path)} cannot be emptied: ${reason}`, {
        suggestions: ['look at what is in its place'],
      });
    }
    return usage;
  }

  async #evict(): Promise<void> {
    const names = await readdir(this.path);
    if (names.length <= MAX_ENTRIES) return;
    const files = await this.#list();
    const newestFirst = files.filter(({ name }) => name.endsWith('.json')).sort((a, b) => b.usedAtMs - a.usedAtMs);
    const abandoned = files.filter(
      ({ name, usedAtMs }) => name.endsWith('.tmp') && Date.now() - usedAtMs > ABANDONED_MS,
    );
    const unwanted = [...newestFirst.slice(MAX_ENTRIES * 0.9), ...abandoned];
    await Promise.all(unwanted.map(({ name }) => rm(join(this.path, name), { force: true })));
  }

  async #list(): Promise<{ name: string; bytes: number; usedAtMs: number }[]> {
    const names = await readdir(this.path).catch(() => []);
    const files = await Promise.all(
      names.map(async (name) => {
        // Another process may have removed it meanwhile.
        const found = await stat(join(this.path, name)).catch(() => undefined);
        return found === undefined ? [] : [{ name, bytes: found.size, usedAtMs: found.mtimeMs }];
      }),
    );
    return files.flat();
  }
}

function nameOf(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`;
}

function sumOf(key: string, json: string): string {
  return createHmac('sha256', key).update(json).digest('hex');
}

/** One folder after another: where none can be made, as under /proc, Node's own recursion never ends. */
async function makeFolder(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
