import { realpath, stat } from 'node:fs/promises';
import type { GgufHeader } from '../gguf/header.js';
import { printable } from '../printable.js';
import type { CachedHeader } from './cache/header-cache.js';
import { type Credential, isCommit, resolveUrl } from './hub/hub-urls.js';
import { isMissing, readLocalPart, whyUnread } from './read-header.js';
import { readRemoteHeader, type RemoteFile } from './read-remote.js';
import { redactedUrl } from './redacted-url.js';
import type { Session } from './session.js';
import { SourceError } from './source-error.js';

/** The header of one file: a whole model, or one part of a split one. */
export interface PartReading {
  readonly header: GgufHeader;
  readonly etag?: string | undefined;
  /** Of a file on the hub. */
  readonly commit?: string | undefined;
  readonly fromCache: boolean;
}

/** A local file, known again by its path, size and time. */
export async function readFilePart(path: string, session: Session): Promise<PartReading> {
  const { signal, meter, suggests } = session;
  const key = await localKey(path).catch(async (error: unknown) => {
    if (isMissing(error)) throw await whyUnread(path, error, { suggests });
    return undefined;
  });
  const cached = key === undefined ? undefined : await session.cache.header(key);
  if (cached !== undefined) return { header: cached.header, fromCache: true };
  const header = await readLocalPart(path, { signal, suggests, onRead: (bytes) => (meter.bytes += bytes) });
  if (key !== undefined) await session.cache.keepHeader(key, { header });
  return { header, fromCache: false };
}

/** What is not there is asked once: of thousands of names most may be of nothing. */
async function localKey(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true });
  return found.isFile() ? `file ${await realpath(path)} ${found.size} ${found.mtimeNs} ${found.ino}` : undefined;
}

/** A file on a web server, known again by its `ETag`. */
export async function readUrlPart(
  url: URL,
  credential: Credential | undefined,
  session: Session,
  repository?: string,
): Promise<PartReading> {
  const key = `url ${url.href}`;
  const cached = await session.cache.header(key);
  if (session.offline) return offlineReading(cached, redactedUrl(url));
  const file = { url, credential, repository, knownEtag: cached?.etag };
  const result = await readRemote(file, session);
  if (result.known) return { ...offlineReading(cached, redactedUrl(url)) };
  await session.cache.keepHeader(key, result);
  return { header: result.header, etag: result.etag, fromCache: false };
}

/** A file on the hub, which never changes within one commit; of a branch, the commit is learnt from the first answer. */
export async function readHubPart(
  repository: string,
  revision: string,
  path: string,
  session: Session,
): Promise<PartReading> {
  const url = resolveUrl(session.hub, repository, revision, path);
  const { credential } = session.hub;
  const find = (commit: string): Promise<CachedHeader | undefined> =>
    session.cache.header(hubKey(session, repository, commit, path));
  let commit = isCommit(revision) ? revision : undefined;
  let cached = commit === undefined ? undefined : await find(commit);
  if (cached !== undefined) return { header: cached.header, etag: cached.etag, commit, fromCache: true };
  // Mirrors that do not name commits tell versions apart like any other server.
  const urlKey = `url ${url.href}`;
  if (commit === undefined) cached = await session.cache.header(urlKey);
  if (session.offline) return offlineReading(cached, `hf:${repository}/${path}`);
  const isKnown: RemoteFile['isKnown'] = async (answer) => {
    const named = answer.header('x-repo-commit');
    if (commit !== undefined || !isCommit(named)) return false;
    commit = named;
    const found = await find(named);
    cached = found ?? cached;
    return found !== undefined;
  };
  const result = await readRemote({ url, credential, repository, knownEtag: cached?.etag, isKnown }, session);
  if (result.known) return { ...offlineReading(cached, redactedUrl(url)), commit };
  await session.cache.keepHeader(commit === undefined ? urlKey : hubKey(session, repository, commit, path), result);
  return { header: result.header, etag: result.etag, commit, fromCache: false };
}

function hubKey(session: Session, repository: string, commit: string, path: string): string {
  return `hub ${session.hub.endpoint} ${repository}@${commit}/${path}`;
}

function readRemote(file: RemoteFile, session: Session): ReturnType<typeof readRemoteHeader> {
  const { context, policy, onProgress } = session;
  const shown = redactedUrl(file.url);
  return readRemoteHeader(file, context, policy, (receivedBytes) => onProgress?.({ url: shown, receivedBytes }));
}

function offlineReading(cached: CachedHeader | undefined, name: string): PartReading {
  if (cached !== undefined) return { header: cached.header, etag: cached.etag, fromCache: true };
  throw new SourceError(
    'SOURCE_OFFLINE',
    `the header of ${printable(name)} was not read on this machine before, and nothing may be read offline; ` +
      'run once without --offline, or give a local path',
  );
}
