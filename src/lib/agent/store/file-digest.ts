import { createHash } from 'node:crypto';
import { createReadStream, rmSync, statSync } from 'node:fs';
import { readOwnFile, writeOwnFile } from '../../own-file.js';

/** Of tens of gigabytes, which take minutes: nobody who ends the program waits for that. */
export async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Notes the digest of a file as it is now, so that it is not read again for that. */
export function stamp(path: string, digest: string): void {
  const { size, mtimeMs } = statSync(path);
  writeOwnFile(`${path}.sha256`, `${digest} ${size} ${mtimeMs}`);
}

/** Whether a file is known to have a digest, and has not changed since. */
export function isStamped(path: string, digest: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && readText(`${path}.sha256`) === `${digest} ${found.size} ${found.mtimeMs}`;
}

/** A file that was fetched whole and was not the one that was asked for. */
export interface RefusedFile {
  readonly digest: string;
  /** Of the answer that brought it. */
  readonly etag: string;
}

/** Kept beside where the file would be: as long as the server has the same one, it need not be fetched to know. */
export function rememberRefused(path: string, { digest, etag }: RefusedFile): void {
  writeOwnFile(`${path}.refused`, `${digest} ${etag}`);
}

export function refusedBefore(path: string): RefusedFile | undefined {
  const [, digest, etag] = /^([0-9a-f]{64}) (".*")$/.exec(readText(`${path}.refused`) ?? '') ?? [];
  return digest === undefined || etag === undefined ? undefined : { digest, etag };
}

export function forgetRefused(path: string): void {
  rmSync(`${path}.refused`, { force: true });
}

/** A small file of the store; undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return readOwnFile(path);
  } catch {
    return undefined;
  }
}
