import { randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { shown } from '../printable.js';
import { errorCode } from '../error-code.js';
import { whyNotWritten } from '../system-words.js';
import { pageDocument } from './page-document.js';
import type { PageInput } from './page-input.js';

/** What recomputes the page in a browser: `src/page`, bundled by the build. */
const SCRIPT = new URL('../../page/script.js', import.meta.url);

/** How a page begins, of this program or another. */
const PAGE = /^\s*<(?:!doctype html|html)/i;
const HEAD_BYTES = 64;

/**
 * Writes the page; a page of that name is replaced at once and whole, or stays as it was, and what is no page is not replaced.
 * @throws UsageError PAGE_NOT_WRITTEN
 */
export async function writePage(file: string, input: PageInput, version: string): Promise<void> {
  await replaceFile(file, await pageText(input, version));
}

/** The page, which needs nothing beside it. */
export async function pageText(input: PageInput, version: string): Promise<string> {
  return pageDocument(input, await readFile(SCRIPT, 'utf8'), version);
}

async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const unfinished = `${target}.${randomUUID()}.unfinished`;
  try {
    const kind = await kindOf(target);
    // A file beside a folder that may not be written to would be refused for another reason than the one that can be mended.
    if (kind === 'folder') throw Object.assign(new Error(target), { code: 'EISDIR' });
    if (kind === 'stream') return await writeFile(target, text);
    if (kind === 'foreign') {
      throw new UsageError('PAGE_NOT_WRITTEN', `${shown(file)} is there, and it is no page, so it is not replaced`, {
        suggestions: ['name another file, or delete this one'],
      });
    }
    await writeFile(unfinished, text, { flag: 'wx' });
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    const reason = whyNotWritten(error);
    if (reason === undefined) throw error;
    const isFolder = errorCode(error) === 'EISDIR';
    throw new UsageError('PAGE_NOT_WRITTEN', `the page cannot be written to ${shown(file)}: ${reason}`, {
      suggestions: [
        isFolder
          ? `name a file in it: --html ${shown(join(file, 'page.html'))}`
          : 'name a file in a folder that is there and that you may write to',
      ],
      cause: error,
    });
  }
}

type Kind = 'none' | 'page' | 'foreign' | 'folder' | 'stream';

/** What is there already. A device or a pipe is written to, for it cannot be replaced. */
async function kindOf(path: string): Promise<Kind> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'none';
  if (found.isDirectory()) return 'folder';
  if (!found.isFile()) return 'stream';
  return found.size === 0 || PAGE.test(await beginningOf(path)) ? 'page' : 'foreign';
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
