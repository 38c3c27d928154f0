import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../nearest.js';
import { shown } from '../printable.js';

/** `OWNER/REPO`, or a file in it. */
const IN_REPOSITORY = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(?:\/.+\.gguf)?$/i;

/** What somebody may have meant by a path at which there is nothing: a file of nearly that name, or a repository of the hub. */
export async function meantInstead(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.gguf$/i.test(name));
  const near = nearest(basename(path), names).map((name) => shown(join(folder, name)));
  if (near.length > 0) return [`did you mean ${near.join(' or ')}?`];
  return IN_REPOSITORY.test(path) ? [`hf:${shown(path)} reads it from Hugging Face`] : [];
}
