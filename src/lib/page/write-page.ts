import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { shown } from '../printable.js';
import { errorCode } from '../error-code.js';
import { whyNotWritten } from '../system-words.js';
import { pageDocument } from './page-document.js';
import type { PageInput } from './page-input.js';

/** What recomputes the page in a browser: `src/page`, bundled by the build. */
const SCRIPT = new URL('../../page/script.js', import.meta.url);

/**
 * Writes the page; a file of that name is replaced at once and whole, or stays as it was.
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
    await refuseFolder(target);
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

/** A file beside a folder that may not be written to would be refused for another reason than the one that can be mended. */
async function refuseFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) throw Object.assign(new Error(path), { code: 'EISDIR' });
}
