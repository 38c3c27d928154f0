import type { RequestContext } from '../http/http-answer.js';
import { getJson } from '../http/get-json.js';
import type { RetryPolicy } from '../http/retry.js';
import { type HubEntry, type HubFile, modelFiles } from './hub-files.js';
import { type Hub, isCommit } from './hub-urls.js';
import { shown } from '../../printable.js';
import { SourceError } from '../source-error.js';

/** Repositories of every quantization of a model have some hundred. */
const MAX_FILES = 41_000;

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
  const { credential } = hub;
  const request = { url, credential, repository, what: 'the list of files', check: 'HF_ENDPOINT' };
  return readListing(await getJson(request, context, policy), repository);
}

function readListing(json: unknown, repository: string): HubListing {
  const { sha, siblings } = (json ?? {}) as { sha?: unknown; siblings?: unknown };
  const commit = typeof sha === 'string' && isCommit(sha) ? sha : undefined;
  const listed: readonly unknown[] = Array.isArray(siblings) ? siblings : [];
  if (listed.length > MAX_FILES)
    throw new SourceError(
      'SOURCE_BAD_RESPONSE',
      `${shown(repository)} lists more than ${MAX_FILES} files; name one of them`,
    );
  const entries = listed.flatMap(readEntry);
  return { repository, commit, files: modelFiles(entries) };
}

function readEntry(sibling: unknown): HubEntry[] {
  const { rfilename, size } = (sibling ?? {}) as { rfilename?: unknown; size?: unknown };
  return hubEntry(rfilename, size);
}

/** One file of a list that somebody else wrote; a path that climbs out of the repository would name a file of another one. */
export function hubEntry(path: unknown, size: unknown): HubEntry[] {
  if (typeof path !== 'string' || path.split('/').some((part) => /^\.*$/.test(part))) return [];
  return [{ path, bytes: Number.isSafeInteger(size) && Number(size) >= 0 ? Number(size) : undefined }];
}
