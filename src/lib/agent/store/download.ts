import { closeSync, constants, mkdirSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { openOwnFile, removeOddFile, writeOwnFile } from '../../own-file.js';
import { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';
import { followRedirects } from '../../source/http/follow-redirects.js';
import type { HttpAnswer, RequestContext } from '../../source/http/http-answer.js';
import { refusalOf } from '../../source/http/http-status.js';
import { checkRangeAnswer } from '../../source/http/range-answer.js';
import { DEFAULT_RETRY, RetryableFailure, withRetries } from '../../source/http/retry.js';
import type { Credential } from '../../source/hub/hub-urls.js';
import { redactedUrl } from '../../source/redacted-url.js';
import { SourceError } from '../../source/source-error.js';
import { digestOf, forgetRefused, isStamped, readText, refusedBefore, rememberRefused, stamp } from './file-digest.js';
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
  const { sha256: asked, context } = options;
  const sha256 = asked?.toLowerCase();
  if (sha256 !== undefined && (await isThere(file, sha256, context.signal))) return;
  const partial = `${file.path}.partial`;
  mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 });
  await refuseAgain(file, options, sha256);
  await withRetries(() => transfer(file, partial, options), DEFAULT_RETRY, context.signal);
  const etag = readText(`${partial}.etag`);
  rmSync(`${partial}.etag`, { force: true });
  if (sha256 !== undefined) {
    const digest = await digestOf(partial, context.signal);
    if (digest !== sha256) {
      rmSync(partial, { force: true });
      if (etag !== undefined) rememberRefused(file.path, { digest, etag });
      throw otherDigest(file, digest);
    }
  }
  forgetRefused(file.path);
  renameSync(partial, file.path);
  if (sha256 !== undefined) stamp(file.path, sha256);
}

/** One that was fetched before anybody had asked for a digest; another one than is asked for now makes room for it. */
async function isThere(file: RemoteModelFile, sha256: string, signal: AbortSignal | undefined): Promise<boolean> {
  if (!isFetched(file)) return false;
  if (isStamped(file.path, sha256)) return true;
  const digest = await digestOf(file.path, signal);
  if (digest === sha256) stamp(file.path, digest);
  else rmSync(file.path, { force: true });
  return digest === sha256;
}

/** Tens of gigabytes that were the wrong ones are not fetched again as long as the server has the same. */
async function refuseAgain(
  file: RemoteModelFile,
  { credential, context }: DownloadOptions,
  sha256: string | undefined,
): Promise<void> {
  const before = refusedBefore(file.path);
  if (before === undefined || sha256 === undefined || before.digest === sha256) return;
  const headers = { range: 'bytes=0-0', 'accept-encoding': 'identity' };
  const answer = await followRedirects({ url: file.url, credential, headers }, context);
  answer.close();
  if (answer.header('etag') === before.etag) throw otherDigest(file, before.digest);
}

function otherDigest({ url }: RemoteModelFile, digest: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_DIGEST',
    `${redactedUrl(url)} has the digest ${digest}, which is not the one that spec.sha256 names`,
    { suggestions: ['correct spec.sha256 of the Model, or its source'] },
  );
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
    const restBytes = lengthOf(answer, from, credential);
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
function lengthOf(answer: HttpAnswer, from: number, credential: Credential | undefined): number | undefined {
  if (answer.status === 206) return checkRangeAnswer(answer, from).bytes;
  if (answer.status !== 200) throw refusalOf(answer, { credential });
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
