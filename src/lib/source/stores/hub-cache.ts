import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { printable } from '../../printable.js';
import { readRegularFile } from '../../read-regular-file.js';
import { chooseModel, type HubFile, modelFiles, PREFERRED_QUANTIZATIONS } from '../hub/hub-files.js';
import type { HubListing } from '../hub/hub-listing.js';
import { type HubSource, isCommit } from '../hub/hub-urls.js';
import type { Session } from '../session.js';
import type { FoundInStore } from './found-in-store.js';
import { pathsUnder } from './paths-under.js';

/** A commit's name and the end of its line. */
const LONGEST_REF = 256;

/** Where downloads are looked for. */
type OnThisMachine = Pick<Session, 'folders'>;

/** The files of a repository that were downloaded to this machine, whole. */
interface Downloads {
  readonly commit: string | undefined;
  /** The path of each on this machine. */
  readonly paths: ReadonlyMap<string, string>;
  readonly files: readonly HubFile[];
  /** Whose folder it is, for messages. */
  readonly owner: string;
}

/**
 * The file that a source on the hub means, where it lies in the hub's cache on this machine (`HF_HUB_CACHE`, `HF_HOME`,
 * `LLAMA_CACHE`), or among llama.cpp's older downloads. What a choice among the repository's files would give is only known
 * where the file's name or quantization was asked for, or where the first that llama-server prefers is there; `anyChoice`
 * takes what there is.
 */
export async function findInHubCache(
  source: HubSource,
  { folders }: OnThisMachine,
  anyChoice: boolean,
): Promise<FoundInStore | undefined> {
  for await (const downloads of downloadsOf(source, { folders })) {
    const path = chosenPath(source, downloads.files, anyChoice);
    const real = path === undefined ? undefined : downloads.paths.get(path);
    if (path === undefined || real === undefined) continue;
    const version = downloads.commit === undefined ? '' : `, version ${downloads.commit.slice(0, 12)}`;
    return {
      source: { kind: 'file', path: real },
      chosen: `${printable(path)} was read from ${downloads.owner} on this machine${version}; whether the hub has a newer one was not asked`,
      file: path,
      ...(downloads.commit === undefined ? {} : { commit: downloads.commit }),
    };
  }
  return undefined;
}

/** What was downloaded of a repository, as a list; undefined when nothing was. */
export async function listHubCache(source: HubSource, machine: OnThisMachine): Promise<HubListing | undefined> {
  for await (const { files, commit } of downloadsOf(source, machine)) {
    if (files.length > 0) return { repository: source.repository, commit, files };
  }
  return undefined;
}

function chosenPath(source: HubSource, files: readonly HubFile[], anyChoice: boolean): string | undefined {
  if (source.file !== undefined) {
    const { file } = source;
    return files.some(({ paths }) => paths.includes(file)) ? file : undefined;
  }
  const wanted = source.quantization ?? (anyChoice ? undefined : PREFERRED_QUANTIZATIONS[0]);
  return chooseModel(files, wanted)?.path;
}

async function* downloadsOf(source: HubSource, { folders }: OnThisMachine): AsyncGenerator<Downloads> {
  for (const folder of folders.hubCaches) {
    const name = `models--${source.repository.replaceAll('/', '--')}`;
    if (!(await folders.in(folder)).has(name)) continue;
    const found = await inSnapshot(join(folder, name), source);
    if (found !== undefined) yield found;
  }
  if (source.revision !== 'main') return;
  for (const folder of folders.llamaCaches) {
    const found = await inFlatFolder(folder, await folders.in(folder), source);
    if (found !== undefined) yield found;
  }
}

/** `models--OWNER--REPO/snapshots/COMMIT/…`, links to `blobs/…`; `refs/main` has the commit. */
async function inSnapshot(root: string, { revision }: HubSource): Promise<Downloads | undefined> {
  const commit = isCommit(revision) ? revision : await readRef(root, revision);
  if (commit === undefined) return undefined;
  const snapshot = join(root, 'snapshots', commit);
  const paths = new Map((await pathsUnder(snapshot)).map((path) => [path, join(snapshot, ...path.split('/'))]));
  return downloads(paths, commit, "the hub's cache");
}

async function readRef(root: string, revision: string): Promise<string | undefined> {
  if (revision.split('/').some((part) => /^\.*$/.test(part))) return undefined;
  const text = await readRegularFile(join(root, 'refs', ...revision.split('/')), LONGEST_REF).catch(() => '');
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/** `OWNER_REPO_FILE.gguf` side by side: `common_download_model` of `common/download.cpp` until the hub's cache was shared. */
async function inFlatFolder(
  folder: string,
  all: ReadonlySet<string>,
  { repository }: HubSource,
): Promise<Downloads | undefined> {
  const prefix = `${repository.replaceAll('/', '_')}_`;
  const names = [...all].filter((name) => name.startsWith(prefix));
  if (names.length === 0) return undefined;
  const paths = new Map(names.map((name) => [name.slice(prefix.length), join(folder, name)]));
  return downloads(paths, undefined, "llama.cpp's cache");
}

/** Files and links that lead to one; what is still being downloaded has another name. */
async function downloads(
  paths: ReadonlyMap<string, string>,
  commit: string | undefined,
  owner: string,
): Promise<Downloads | undefined> {
  const entries = await Promise.all(
    [...paths].map(async ([path, real]) => {
      const size = /\.gguf$/i.test(path) ? await sizeOf(real) : undefined;
      return size === undefined ? [] : [{ path, bytes: size }];
    }),
  );
  const files = modelFiles(entries.flat().sort((a, b) => (a.path < b.path ? -1 : 1)));
  return files.length === 0 ? undefined : { commit, paths, files, owner };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}
