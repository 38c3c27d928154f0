import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  mkdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { openOwnFile, readOwnFile, removeOddFile, writeOwnFile } from '../../own-file.js';
import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';
import { followRedirects } from '../../source/http/follow-redirects.js';
import type { HttpAnswer, RequestContext } from '../../source/http/http-answer.js';
import { statusError, isWorthRetrying } from '../../source/http/http-status.js';
import { checkRangeAnswer } from '../../source/http/range-answer.js';
import { DEFAULT_RETRY, RetryableFailure, retryAfterMs, withRetries } from '../../source/http/retry.js';
import type { Credential } from '../../source/hub/hub-urls.js';
import { redactedUrl } from '../../source/redacted-url.js';
import { SourceError } from '../../source/source-error.js';
import type { RemoteModelFile } from './model-files.js';

export interface DownloadOptions {
  /** Sent to its own origin only. */
  readonly credential: Credential | undefined;
  readonly context: RequestContext;
  /** 64 hexadecimal digits that the whole file must have. */
  readonly sha256: string | undefined;
}

/** What must stay free on the disk. */
const SPARE_BYTES = 2 ** 30;
/** What the system says when there is no room, or none for this user or process. */
const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** How often that is looked at. */
const LOOK_BYTES = 2 ** 28;

export function isFetched({ path }: Pick<RemoteModelFile, 'path'>): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Fetches one file into the store. A transfer that broke goes on where it was, as long as the server's `ETag` is the same; the file
 * has its name only when it is whole, and has the digest that was asked for.
 * @throws SourceError, CheckIncompleteError DISK_FULL, MODEL_DIGEST
 */
export async function download(file: RemoteModelFile, options: DownloadOptions): Promise<void> {
  const partial = `${file.path}.partial`;
  mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 });
  await withRetries(() => transfer(file, partial, options), DEFAULT_RETRY, options.context.signal);
  const { sha256 } = options;
  if (sha256 !== undefined && (await digestOf(partial, options.context.signal)) !== sha256.toLowerCase()) {
    rmSync(partial, { force: true });
    throw new CheckIncompleteError(
      'MODEL_DIGEST',
      `${redactedUrl(file.url)} does not have the digest that spec.sha256 names`,
      {
        suggestions: ['correct spec.sha256 of the Model, or its source'],
      },
    );
  }
  rmSync(`${partial}.etag`, { force: true });
  renameSync(partial, file.path);
}

async function transfer({ url }: RemoteModelFile, partial: string, options: DownloadOptions): Promise<void> {
  const { context, credential } = options;
  removeOddFile(partial);
  const have = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  const etag = have > 0 ? readText(`${partial}.etag`) : undefined;
  const resume = etag !== undefined && have > 0;
  const headers = resume ? { range: `bytes=${have}-`, 'if-range': etag } : {};
  const answer = await followRedirects(
    { url, credential, headers: { ...headers, 'accept-encoding': 'identity' } },
    context,
  );
  try {
    // Everything had arrived before the connection broke.
    if (resume && answer.status === 416 && answer.header('content-range') === `bytes */${have}`) return;
    const from = answer.status === 206 ? have : 0;
    const restBytes = lengthOf(answer, from, credential !== undefined);
    requireSpace(partial, restBytes);
    const now = answer.header('etag');
    if (now?.startsWith('"') === true) writeOwnFile(`${partial}.etag`, now);
    else rmSync(`${partial}.etag`, { force: true });
    const received = await save(answer, partial, from === 0 ? constants.O_TRUNC : constants.O_APPEND);
    if (restBytes !== undefined && received < restBytes) {
      const message = `${redactedUrl(url)}: ${printable(url.host)} sent ${received} bytes of ${restBytes}`;
      throw new RetryableFailure(new SourceError('SOURCE_BAD_RESPONSE', message));
    }
  } finally {
    answer.close();
  }
}

/** Bytes still to come, where the server says so. */
function lengthOf(answer: HttpAnswer, from: number, tokenSent: boolean): number | undefined {
  if (answer.status === 206) return checkRangeAnswer(answer, from).bytes;
  if (answer.status !== 200) {
    const { url, status } = answer;
    const error = statusError({ url, status, reason: answer.header('x-error-code'), tokenSent });
    if (!isWorthRetrying(answer.status)) throw error;
    throw new RetryableFailure(error, retryAfterMs(answer.header('retry-after'), Date.now()));
  }
  const length = answer.header('content-length');
  return length === undefined ? undefined : Number(length);
}

async function save(answer: HttpAnswer, partial: string, how: number): Promise<number> {
  const file = openOwnFile(partial, constants.O_WRONLY | constants.O_CREAT | how);
  let received = 0;
  try {
    await answer.read((chunk) => {
      for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
      const looks = Math.floor(received / LOOK_BYTES);
      received += chunk.length;
      // A server that does not say how much there is must not fill the disk.
      if (Math.floor(received / LOOK_BYTES) > looks && freeBytes(partial) < SPARE_BYTES)
        throw diskFull(partial, undefined);
      return false;
    });
    return received;
  } catch (error) {
    if (NO_ROOM.has((error as NodeJS.ErrnoException).code)) throw diskFull(partial, undefined);
    throw error;
  } finally {
    closeSync(file);
  }
}

function requireSpace(partial: string, bytes: number | undefined): void {
  if (bytes !== undefined && bytes + SPARE_BYTES > freeBytes(partial)) throw diskFull(partial, bytes);
}

function freeBytes(partial: string): number {
  const { bavail, bsize } = statfsSync(dirname(partial));
  return bavail * bsize;
}

function diskFull(partial: string, bytes: number | undefined): CheckIncompleteError {
  const need = bytes === undefined ? '' : ` for ${bytes} bytes more`;
  return new CheckIncompleteError('DISK_FULL', `there is no room in ${printable(dirname(partial))}${need}`, {
    suggestions: ['free disk space, or move --model-store'],
  });
}

/** Of tens of gigabytes, which take minutes: nobody who ends the program waits for that. */
async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function readText(path: string): string | undefined {
  try {
    return readOwnFile(path);
  } catch {
    return undefined;
  }
}
