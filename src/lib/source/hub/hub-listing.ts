import { parseBoundedJson } from '../../bounded-json.js';
import { printable } from '../../printable.js';
import { followRedirects } from '../http/follow-redirects.js';
import { type HubEntry, type HubFile, modelFiles } from './hub-files.js';
import { type Hub, isCommit } from './hub-urls.js';
import type { HttpAnswer, RequestContext } from '../http/http-answer.js';
import { fetchRequest } from '../http/http-fetch.js';
import { isWorthRetrying, statusError } from '../http/http-status.js';
import { redactedUrl } from '../redacted-url.js';
import { RetryableFailure, retryAfterMs, type RetryPolicy, withRetries } from '../http/retry.js';
import { SourceError } from '../source-error.js';

/** Repositories with a thousand files list them in about 300 KB. */
const MAX_LISTING_BYTES = 8 * 2 ** 20;

export interface HubListing {
  readonly repository: string;
  /** The commit that the list describes; undefined when a mirror does not say. */
  readonly commit: string | undefined;
  readonly files: readonly HubFile[];
}

/** Asks the hub, in one request, which model files a repository has at a revision, their sizes, and the commit. */
export async function listRepository(
  hub: Hub,
  repository: string,
  revision: string,
  context: RequestContext,
  policy: RetryPolicy,
): Promise<HubListing> {
  const url = new URL(`${hub.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`);
  return withRetries(
    async () => {
      const answer = await followRedirects({ url, credential: hub.credential, send: fetchRequest }, context);
      try {
        if (answer.status !== 200) throw refusal(answer, hub, repository);
        return readListing(await readJson(answer), repository);
      } finally {
        answer.close();
      }
    },
    policy,
    context.signal,
  );
}

function refusal(answer: HttpAnswer, hub: Hub, repository: string): Error {
  const { status, url } = answer;
  const tokenSent = hub.credential?.origin === url.origin;
  const error = statusError({ url, status, reason: answer.header('x-error-code'), repository, tokenSent });
  if (!isWorthRetrying(status)) return error;
  return new RetryableFailure(error, retryAfterMs(answer.header('retry-after'), Date.now()));
}

async function readJson(answer: HttpAnswer): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  await answer.read((chunk) => {
    bytes += chunk.length;
    if (bytes > MAX_LISTING_BYTES) throw badListing(answer, `is longer than ${MAX_LISTING_BYTES} bytes`);
    chunks.push(chunk);
    return false;
  });
  try {
    return parseBoundedJson(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw badListing(answer, 'is not JSON');
  }
}

function readListing(json: unknown, repository: string): HubListing {
  const { sha, siblings } = (json ?? {}) as { sha?: unknown; siblings?: unknown };
  const commit = typeof sha === 'string' && isCommit(sha) ? sha : undefined;
  const entries = Array.isArray(siblings) ? siblings.flatMap(readEntry) : [];
  return { repository, commit, files: modelFiles(entries) };
}

function readEntry(sibling: unknown): HubEntry[] {
  const { rfilename, size } = (sibling ?? {}) as { rfilename?: unknown; size?: unknown };
  // A path that climbs out of the repository would name a file of another one.
  if (typeof rfilename !== 'string' || rfilename.split('/').some((part) => /^\.*$/.test(part))) return [];
  return [{ path: rfilename, bytes: Number.isSafeInteger(size) ? (size as number) : undefined }];
}

function badListing(answer: HttpAnswer, problem: string): SourceError {
  const message = `${redactedUrl(answer.url)}: the list of files that ${printable(answer.url.host)} sends ${problem}`;
  return new SourceError('SOURCE_BAD_RESPONSE', `${message}; check HF_ENDPOINT`);
}
