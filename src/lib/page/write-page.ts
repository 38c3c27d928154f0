import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { pageDocument } from './page-document.js';
import type { PageInput } from './page-input.js';

/** What recomputes the page in a browser: `src/page`, bundled by the build. */
const SCRIPT = new URL('../../page/script.js', import.meta.url);

/**
 * Writes the page; a file of that name is replaced at once and whole, or stays as it was.
 * @throws UsageError PAGE_NOT_WRITTEN
 */
export async function writePage(file: string, input: PageInput, version: string): Promise<void> {
  await replaceFile(file, pageDocument(input, await readFile(SCRIPT, 'utf8'), version));
}

async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const unfinished = `${target}.${randomUUID()}.unfinished`;
  try {
    await writeFile(unfinished, text, { flag: 'wx' });
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    const { message } = error as Error;
    throw new UsageError('PAGE_NOT_WRITTEN', `the page could not be written to ${file}: ${message}`, {
      suggestions: [`give a file in a folder that can be written to, not ${dirname(target)}`],
      cause: error,
    });
  }
}
