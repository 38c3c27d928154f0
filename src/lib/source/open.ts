import { resolve } from 'node:path';
import { UsageError } from '../errors.js';
import type { GgufHeader } from '../gguf/header.js';
import { printable, shown } from '../printable.js';
import { chooseModel } from './hub/hub-files.js';
import { type HubListing, listRepository } from './hub/hub-listing.js';
import { type Credential, type HubSource, parseHubUrl, percentDecoded, resolveUrl } from './hub/hub-urls.js';
import { formatModelSource, type ModelSource, parseModelSource } from './model-source.js';
import { readFilePart, readHubPart, readUrlPart } from './read-part.js';
import { readParts } from './read-parts.js';
import { redactedUrl } from './redacted-url.js';
import { inSession, type ReadOptions, type Session } from './session.js';
import { SourceError } from './source-error.js';
import type { FoundInStore } from './stores/found-in-store.js';
import { findInHubCache, listHubCache } from './stores/hub-cache.js';
import type { StoreSource } from './stores/store-source.js';

/** A model's header, and where and how it was read. */
export interface HeaderReading {
  readonly header: GgufHeader;
  /** Of the first part; for the hub with the commit in it, so that it means the same for ever. */
  readonly url?: string;
  /** Absolute, as typed otherwise. */
  readonly path?: string;
  /** Of the repository on the hub. */
  readonly commit?: string;
  /** In the repository; of the first part. */
  readonly file?: string;
  /** A sentence on what was chosen, where a store of this machine or of another hub chose it. */
  readonly chosen?: string;
  /** How many other model files the repository has, where this one was chosen among them. */
  readonly others?: number;
  readonly etag?: string;
  /** True when no header bytes were read, only, at most, asked whether they are still the same. */
  readonly fromCache: boolean;
  readonly bytesRead: number;
  readonly requests: number;
}

type Located = Omit<HeaderReading, 'bytesRead' | 'requests'>;

/**
 * Reads the header of the model that a source means, all parts of a split one. Throws `SourceError` or `GgufError` (exit
 * code 3) when that cannot be done, `UsageError` (2) for settings that cannot be.
 */
export async function readModelHeader(source: ModelSource, options: ReadOptions = {}): Promise<HeaderReading> {
  return inSession(options, async (session) => {
    const located = await readSource(source, session);
    return { ...located, bytesRead: session.meter.bytes, requests: session.meter.requests };
  });
}

/** The model files of a Hugging Face repository (`OWNER/REPO`), with sizes and quantizations, in one request. */
export async function listGgufFiles(repository: string, options: ReadOptions = {}): Promise<HubListing> {
  const source = parseModelSource(`hf:${repository}`);
  if (source.kind !== 'hf') throw new UsageError('BAD_SOURCE', `${printable(repository)} is not OWNER/REPO`);
  return inSession(options, (session) => list(source, session));
}

async function readSource(source: ModelSource, session: Session): Promise<Located> {
  switch (source.kind) {
    case 'file':
      return readFileSource(source.path, session);
    case 'http':
      return readHttpSource(new URL(source.url), session);
    case 'hf':
      return readHubSource(source, session);
    case 'ollama':
    case 'lmstudio':
    case 'modelscope':
      return readFound(await findInStore(source, session), session);
    case 'unsupported':
      throw new SourceError(
        'SOURCE_UNSUPPORTED',
        `${shown(source.text)} cannot be read from here, only inside the cluster; ` +
          'give the same model by its http(s) address, hf:OWNER/REPO or a local path',
      );
  }
}

async function readFileSource(path: string, session: Session): Promise<Located> {
  const { header, parts } = await readParts(path, (part) => readFilePart(part, session));
  return { header, path: resolve(path), fromCache: parts.every((part) => part.fromCache) };
}

async function readHttpSource(address: URL, session: Session): Promise<Located> {
  const hubSource = onHub(address, session);
  if (hubSource !== undefined) return readHubSource(hubSource, session);
  const { url, credential } = withoutLogin(address);
  const { header, named, parts } = await readParts(url.pathname, (pathname) => {
    return readUrlPart(pathname === url.pathname ? url : withPath(url, pathname), credential, session);
  });
  return { header, url: redactedUrl(url), ...version(named.etag), fromCache: parts.every((part) => part.fromCache) };
}

/** The file of a repository that an address of the session's hub names, if it is one. */
function onHub(address: URL, { hub }: Session): HubSource | undefined {
  if (!hub.endpoint.startsWith(address.origin)) return undefined;
  const endpoint = new URL(hub.endpoint);
  return address.origin === endpoint.origin ? parseHubUrl(address, endpoint.pathname.replace(/\/$/, '')) : undefined;
}

function withPath(url: URL, pathname: string): URL {
  const other = new URL(url);
  other.pathname = pathname;
  return other;
}

/** `user:password@` in an address is a login for that origin; it must not show up anywhere else. */
function withoutLogin(address: URL): { url: URL; credential: Credential | undefined } {
  if (address.username === '' && address.password === '' && address.hash === '') {
    return { url: address, credential: undefined };
  }
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.hash = '';
  if (address.username === '' && address.password === '') return { url, credential: undefined };
  const login = `${percentDecoded(address.username)}:${percentDecoded(address.password)}`;
  return { url, credential: { origin: url.origin, authorization: `Basic ${Buffer.from(login).toString('base64')}` } };
}

async function findInStore(source: StoreSource, session: Session): Promise<FoundInStore> {
  switch (source.kind) {
    case 'ollama':
      return (await import('./stores/ollama.js')).findInOllama(source, session);
    case 'lmstudio':
      return (await import('./stores/lm-studio.js')).findInLmStudio(source, session);
    case 'modelscope':
      return (await import('./stores/modelscope.js')).findInModelScope(source, session);
  }
}

async function readFound({ source, chosen, file, commit }: FoundInStore, session: Session): Promise<Located> {
  const located = await readSource(source, session);
  return {
    ...located,
    chosen,
    ...(file === undefined ? {} : { file }),
    ...(commit === undefined ? {} : { commit }),
  };
}

async function readHubSource(source: HubSource, session: Session): Promise<Located> {
  try {
    return await readFromHub(source, session);
  } catch (error) {
    if (!session.asksWhatWasMeant || !isNotThere(error)) throw error;
    const { withNearest } = await import('./hub/what-was-meant.js');
    throw await withNearest(error, source, session);
  }
}

async function readFromHub(source: HubSource, session: Session): Promise<Located> {
  const { repository } = source;
  const kept = await findInHubCache(source, session, session.offline);
  if (kept !== undefined) return readFound(kept, session);
  const key = `resolution ${session.hub.endpoint} ${source.revision} ${formatModelSource(source)}`;
  const chosen = session.offline
    ? await session.cache.resolution(key)
    : source.file === undefined
      ? await choose(source, session)
      : undefined;
  const path = chosen?.path ?? source.file;
  if (path === undefined) throw notReadBefore(source);
  let commit = chosen?.commit;
  const { header, named, parts } = await readParts(path, async (part) => {
    const reading = await readHubPart(repository, commit ?? source.revision, part, session);
    commit ??= reading.commit;
    return reading;
  });
  if (!session.offline && commit !== undefined) await session.cache.keepResolution(key, { commit, path });
  const url = redactedUrl(resolveUrl(session.hub, repository, commit ?? source.revision, path));
  const others = chosen !== undefined && 'others' in chosen ? { others: chosen.others } : {};
  return {
    header,
    url,
    file: path,
    ...others,
    ...version(named.etag, commit),
    fromCache: parts.every((part) => part.fromCache),
  };
}

function version(etag?: string, commit?: string): Pick<HeaderReading, 'etag' | 'commit'> {
  return { ...(commit === undefined ? {} : { commit }), ...(etag === undefined ? {} : { etag }) };
}

async function choose(
  source: HubSource,
  session: Session,
): Promise<{ path: string; commit: string | undefined; others: number }> {
  const { quantization } = source;
  const { files, commit } = await list(source, session);
  const file = chooseModel(files, quantization);
  if (file !== undefined) {
    const others = files.filter(({ kind }) => kind === 'model').length - 1;
    return { path: file.path, commit, others };
  }
  const { noSuchQuantization } = await import('./hub/what-was-meant.js');
  throw noSuchQuantization(source, files);
}

/** Hugging Face answers 401 for what does not exist, too. */
function isNotThere(error: unknown): error is SourceError {
  return error instanceof SourceError && (error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_UNAUTHORIZED');
}

async function list(source: HubSource, session: Session): Promise<HubListing> {
  if (session.offline) {
    const kept = await listHubCache(source, session);
    if (kept === undefined) throw notReadBefore(source);
    return kept;
  }
  return listRepository(session.hub, source.repository, source.revision, session.context, session.policy);
}

function notReadBefore(source: HubSource): SourceError {
  const message = `${formatModelSource(source)} was not read on this machine before, and nothing may be read offline`;
  return new SourceError('SOURCE_OFFLINE', `${message}; run once without --offline, or give a local path`);
}
