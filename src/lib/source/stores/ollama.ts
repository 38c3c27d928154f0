import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBoundedJson } from '../../bounded-json.js';
import { nearest } from '../../nearest.js';
import { printable, shown } from '../../printable.js';
import { readRegularFile } from '../../read-regular-file.js';
import { getJson } from '../http/get-json.js';
import type { Session } from '../session.js';
import { SourceError } from '../source-error.js';
import { ollamaFolders } from './folders.js';
import { type FoundInStore, printablePath } from './found-in-store.js';
import { pathsUnder } from './paths-under.js';
import { formatStoreSource, type OllamaSource, parseStoreSource } from './store-source.js';

/** A manifest lists some ten layers. */
const LONGEST_MANIFEST = 2 ** 20;
/** `sha256:` and twelve digits, as Ollama itself shows them. */
const SHOWN_DIGEST = 19;
const MODEL_LAYER = 'application/vnd.ollama.image.model';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * The GGUF file that a name of Ollama stands for: what Ollama keeps on this machine, else what its registry has.
 * @throws SourceError when neither has it
 */
export async function findInOllama(source: OllamaSource, session: Session): Promise<FoundInStore> {
  const folders = ollamaFolders(session.env);
  for (const folder of folders) {
    const found = await inFolder(folder, source);
    if (found !== undefined) return found;
  }
  if (session.offline) {
    const message = `${formatStoreSource(source)} is not kept by Ollama on this machine, and nothing may be read offline`;
    throw new SourceError(
      'SOURCE_OFFLINE',
      `${message}; run ollama pull, or once without --offline`,
      await likely(source, folders),
    );
  }
  return inRegistry(source, session, folders);
}

async function inFolder(folder: string, source: OllamaSource): Promise<FoundInStore | undefined> {
  const path = join(folder, 'manifests', ...(await asKept(join(folder, 'manifests'), partsOf(source))));
  const text = await readRegularFile(path, LONGEST_MANIFEST).catch(() => undefined);
  if (text === undefined) return undefined;
  const digest = modelDigest(parsed(text), source);
  // Blobs were named with a colon once.
  for (const name of [digest.replace(':', '-'), digest]) {
    const blob = join(folder, 'blobs', name);
    const isThere = await stat(blob).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isThere) continue;
    const chosen = `${nameOf(source)} is the file ${printablePath(blob)}, which Ollama keeps on this machine`;
    return { source: { kind: 'file', path: blob }, chosen };
  }
  throw new SourceError(
    'SOURCE_NOT_FOUND',
    `Ollama lists ${nameOf(source)} on this machine, but its file ${digest.slice(0, SHOWN_DIGEST)}… is missing in ${printablePath(folder)}; run ollama pull ${nameOf(source)}`,
  );
}

async function inRegistry(source: OllamaSource, session: Session, folders: readonly string[]): Promise<FoundInStore> {
  const { protocol, host, namespace, model, tag } = source;
  const base = `${protocol}://${host}/v2/${namespace}/${model}`;
  const url = new URL(`${base}/manifests/${tag}`);
  const request = { url, headers: { accept: MANIFEST_TYPE }, what: 'the manifest', check: "the name's host" };
  let manifest: unknown;
  try {
    manifest = await getJson(request, session.context, session.policy);
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'SOURCE_NOT_FOUND') throw error;
    const message = `neither Ollama on this machine nor ${printable(host)} has ${nameOf(source)}; check its name and tag`;
    throw new SourceError('SOURCE_NOT_FOUND', message, { cause: error, ...(await likely(source, folders)) });
  }
  const digest = modelDigest(manifest, source);
  const chosen = `${nameOf(source)} is not kept by Ollama on this machine; its file was read from ${printable(host)}`;
  return { source: { kind: 'http', url: `${base}/blobs/${digest}` }, chosen };
}

/** The digest of the one layer that is the model. */
function modelDigest(manifest: unknown, source: OllamaSource): string {
  const { layers } = (manifest ?? {}) as { layers?: unknown };
  const models = (Array.isArray(layers) ? layers : []).filter(
    (layer: unknown) => (layer as { mediaType?: unknown } | null)?.mediaType === MODEL_LAYER,
  ) as { digest?: unknown }[];
  const [digest] = models.map((layer) => layer.digest);
  if (models.length > 1) {
    throw new SourceError(
      'SOURCE_UNSUPPORTED',
      `${nameOf(source)} is made of ${models.length} model files, which llama-server does not take; name a GGUF file`,
    );
  }
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new SourceError(
    'SOURCE_UNSUPPORTED',
    `${nameOf(source)} holds no GGUF model that llama-server could load; name one that does`,
  );
}

function parsed(text: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch {
    return undefined;
  }
}

/** Ollama takes names in any case; the folders keep the one they were first pulled in. */
async function asKept(folder: string, parts: readonly string[]): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const part of parts) {
    const names = await readdir(join(folder, ...kept)).catch(() => []);
    kept.push(
      names.find((name) => name === part) ?? names.find((name) => name.toLowerCase() === part.toLowerCase()) ?? part,
    );
  }
  return kept;
}

/** The names that are kept here and like the one that was typed. */
async function likely(source: OllamaSource, folders: readonly string[]): Promise<{ suggestions?: readonly string[] }> {
  const names = (await Promise.all(folders.map(keptNames))).flat();
  const typed = nameOf(source);
  const sameModel = names.filter((name) => name.split(':')[0] === typed.split(':')[0]);
  const near = [...new Set([...sameModel, ...nearest(typed, names)])].slice(0, 3);
  return near.length === 0 ? {} : { suggestions: near.map((name) => `ollama:${shown(name)} is kept on this machine`) };
}

/** Every model that a folder of Ollama lists, as `ollama list` names it. */
async function keptNames(folder: string): Promise<readonly string[]> {
  return (await pathsUnder(join(folder, 'manifests'))).flatMap((path) => {
    const [host, namespace, model, tag, ...more] = path.split('/');
    if (tag === undefined || more.length > 0) return [];
    try {
      const source = parseStoreSource('ollama', `${host}/${namespace}/${model}:${tag}`);
      return [formatStoreSource(source).slice('ollama:'.length)];
    } catch {
      return [];
    }
  });
}

function partsOf({ host, namespace, model, tag }: OllamaSource): readonly string[] {
  return [host, namespace, model, tag];
}

function nameOf(source: OllamaSource): string {
  return formatStoreSource(source).slice('ollama:'.length);
}
