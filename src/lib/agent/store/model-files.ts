import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { parseShardName, shardPath, shardPaths } from '../../gguf/names/shard-name.js';
import { fingerprint } from '../../guard/fingerprint.js';
import type { ModelResource } from '../../kube/client/api.js';
import { printable, shown } from '../../printable.js';
import { type Hub, resolveUrl } from '../../source/hub/hub-urls.js';
import { formatModelSource, type ModelSource, parseModelSource } from '../../source/model-source.js';
import { presigned, s3Access, s3Url } from './s3.js';
import { readModelHeader } from '../../source/open.js';
import type { ReadOptions } from '../../source/session.js';

/** One file of a Model: where it comes from, and where it lies or will lie. */
export interface RemoteModelFile {
  readonly url: URL;
  readonly path: string;
}

/** The files that one launch reads. */
export interface ModelFiles {
  /** The model, or its first shard. */
  readonly modelPath: string;
  readonly projectorPath?: string | undefined;
  /** The file among those of the source that drafts for it, where one was asked for. */
  readonly draftPath?: string | undefined;
  /** What has to be fetched where it is not there; none for files that are used where they lie. */
  readonly remote: readonly RemoteModelFile[];
}

export interface StoreRules {
  readonly folder: string;
  /** Folders from which files are used where they lie, beside the store itself. */
  readonly allowedRoots: readonly string[];
}

/** What a Model names, as `parseModelSource` reads it: the first of `files` in a repository. */
export function modelSource({ spec }: Pick<ModelResource, 'spec'>): ModelSource {
  const source = parseModelSource(spec.source);
  const [file] = spec.files ?? [];
  return source.kind === 'hf' && source.file === undefined && file !== undefined ? { ...source, file } : source;
}

/**
 * Where the files of a Model are, or are to be. A repository on the hub is asked which file is meant.
 * @throws CheckIncompleteError MODEL_SOURCE_NOT_ALLOWED, MODEL_FILE_MISSING; SourceError
 */
export async function modelFiles(
  model: ModelResource,
  { folder, allowedRoots }: StoreRules,
  hub: Hub,
  reading: ReadOptions,
  draft: string | undefined,
): Promise<ModelFiles> {
  const source = modelSource(model);
  const { mmproj } = model.spec;
  switch (source.kind) {
    case 'file':
      return localFiles(source.path, mmproj, draft, [folder, ...allowedRoots]);
    case 'unsupported':
      if (source.scheme === 's3') return s3Files(model, source, folder, reading, draft);
      throw notAllowed(
        `${source.scheme}:// sources cannot be read on this host`,
        'give the model by https://, hf: or a path',
      );
    case 'ollama':
    case 'lmstudio':
    case 'modelscope':
      throw notAllowed(
        `${shown(model.spec.source)} is a name that is not the same on every machine`,
        'give the model by https://, hf: or a path',
      );
    case 'http':
    case 'hf': {
      const url = source.kind === 'http' ? new URL(source.url) : await hubUrl(source, hub, reading);
      return fetchedFiles(url, folderOf(folder, model, source), mmproj, draft);
    }
  }
}

/** @param sign makes an address one that can be read */
function fetchedFiles(
  url: URL,
  own: string,
  mmproj: string | undefined,
  draft: string | undefined,
  sign: (url: URL) => URL = (plain) => plain,
): ModelFiles {
  const fetched = (one: URL): RemoteModelFile => ({ url: sign(one), path: join(own, fileName(one)) });
  const beside = (name: string | undefined) => (name === undefined ? undefined : fetched(besideUrl(name, url)));
  const remote = shardUrls(url).map(fetched);
  const [projector, drafting] = [beside(mmproj), beside(draft)];
  return {
    modelPath: remote[0]?.path ?? '',
    projectorPath: projector?.path,
    draftPath: drafting?.path,
    remote: [...remote, ...(projector ? [projector] : []), ...(drafting ? [drafting] : [])],
  };
}

function besideUrl(name: string, url: URL): URL {
  const found = URL.canParse(name, url.href) ? new URL(name, url) : undefined;
  if (found !== undefined && /^https?:$/.test(found.protocol)) return found;
  throw notAllowed(
    `${shown(name)} is no file beside ${shown(fileName(url))}`,
    'give its name, or its address by https://',
  );
}

/** `s3://BUCKET/KEY`, or a prefix and the first of `files`. @throws CheckIncompleteError S3_CREDENTIALS */
function s3Files(
  model: ModelResource,
  source: ModelSource,
  folder: string,
  { env }: ReadOptions,
  draft: string | undefined,
): ModelFiles {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(model.spec.source) ?? [];
  const [file] = model.spec.files ?? [];
  const key = file === undefined || /\.gguf$/i.test(path) ? path : `${path.replace(/\/*$/, '')}/${file}`;
  if (bucket === '' || key === '')
    throw notAllowed(`${shown(model.spec.source)} names no file`, 'write s3://BUCKET/KEY');
  const access = s3Access(env ?? {});
  const now = new Date();
  const first = s3Url(bucket, key, access);
  // A projector may be named by a whole address, whose host is to see neither key nor session token.
  const sign = (url: URL): URL => (url.origin === first.origin ? presigned(url, access, now) : url);
  return fetchedFiles(first, folderOf(folder, model, source), model.spec.mmproj, draft, sign);
}

/** Where the files of a Model are fetched to; undefined for one whose files lie elsewhere. */
export function modelFolder(folder: string, model: ModelResource): string | undefined {
  const source = modelSource(model);
  const isFetched = source.kind === 'http' || source.kind === 'hf' || source.kind === 'unsupported';
  return isFetched ? folderOf(folder, model, source) : undefined;
}

function folderOf(folder: string, model: ModelResource, source: ModelSource): string {
  return join(foldersOf(folder, model), key(source));
}

/** Where all that a Model has named lies, each source in a folder of its own. */
export function foldersOf(folder: string, { metadata: { namespace, name } }: ModelResource): string {
  return join(folder, encodeURIComponent(namespace), encodeURIComponent(name));
}

function key(source: ModelSource): string {
  return fingerprint(formatModelSource(source)).slice(0, 12);
}

async function hubUrl(source: Extract<ModelSource, { kind: 'hf' }>, hub: Hub, reading: ReadOptions): Promise<URL> {
  if (source.file !== undefined) return resolveUrl(hub, source.repository, source.revision, source.file);
  const { file = '', commit } = await readModelHeader(source, reading);
  return resolveUrl(hub, source.repository, commit ?? source.revision, file);
}

/** From the first on: llama-server opens the others beside it. */
function shardUrls(url: URL): readonly URL[] {
  const shard = parseShardName(url.pathname);
  if (shard === undefined) return [url];
  return Array.from({ length: shard.count }, (_, index) => {
    const part = new URL(url);
    part.pathname = shardPath(shard, index + 1);
    return part;
  });
}

/** A name that stays in its folder, without the query. */
function fileName(url: URL): string {
  const name = basename(url.pathname);
  if (!/^[\w][\w.%+-]*$/.test(name)) throw notAllowed(`${printable(name)} cannot be the name of a file`, 'rename it');
  return name;
}

function localFiles(
  path: string,
  mmproj: string | undefined,
  draft: string | undefined,
  roots: readonly string[],
): ModelFiles {
  if (!isAbsolute(path)) throw notAllowed(`${printable(path)} is not an absolute path`, 'give the whole path');
  const beside = (name: string | undefined) => (name === undefined ? undefined : resolve(dirname(path), name));
  const [projectorPath, draftPath] = [beside(mmproj), beside(draft)];
  const shard = parseShardName(path);
  const model = shard === undefined ? [path] : shardPaths(shard);
  for (const file of [...model, projectorPath, draftPath]) if (file !== undefined) requireUnder(file, roots);
  return { modelPath: model[0] ?? path, projectorPath, draftPath, remote: [] };
}

/** Links are followed first, so that none leads out. */
function requireUnder(path: string, roots: readonly string[]): void {
  const real = realOf(path);
  if (real === undefined || !statSync(real).isFile()) {
    throw new CheckIncompleteError('MODEL_FILE_MISSING', `${printable(path)} is not a file on this host`, {
      suggestions: ['put it there, or correct spec.source of the Model'],
    });
  }
  if (roots.some((root) => real.startsWith(`${realOf(root) ?? root}${sep}`))) return;
  throw notAllowed(
    `${printable(path)} lies outside of the folders that models may be used from`,
    'allow its folder with --allowed-model-roots, or put it into --model-store',
  );
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function notAllowed(problem: string, advice: string): CheckIncompleteError {
  return new CheckIncompleteError('MODEL_SOURCE_NOT_ALLOWED', problem, { suggestions: [advice] });
}
