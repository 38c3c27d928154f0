import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quantizationLabel, stemOf } from '../../gguf/names/file-name.js';
import { chooseModel, type HubFile, modelFiles } from './hub-files.js';
import type { HubSource } from './hub-urls.js';
import { formatModelSource, parseModelSource } from '../model-source.js';
import { inSession, type ReadOptions } from '../session.js';
import type { ModelScopeSource } from '../stores/store-source.js';

/** The same model in another quantization, at the same place. */
export interface SiblingFile {
  /** As its name says it, `UD-Q4_K_XL` included. */
  readonly quantization: string;
  /** Of all parts; undefined when the place does not say. */
  readonly bytes: number | undefined;
  /** As `parseModelSource` takes it. */
  readonly source: string;
  /** As `--file` takes it: its path in the repository, or its name in the folder. */
  readonly file: string;
  /** True when `hf:OWNER/REPO:QUANT` means this file. */
  readonly isTagged: boolean;
}

/**
 * The quantizations of the model that a source means which lie in the same repository or folder; undefined when the
 * place cannot be listed.
 * @throws SourceError when it could be, but is not there or does not answer
 */
export async function listSiblings(text: string, options: ReadOptions): Promise<readonly SiblingFile[] | undefined> {
  const source = parseModelSource(text);
  if (source.kind === 'file') return inFolder(source.path);
  if (source.kind === 'lmstudio') {
    const { findInLmStudio } = await import('../stores/lm-studio.js');
    const kept = await inSession(options, (session) => findInLmStudio(source, session));
    return kept.source.kind === 'file' ? inFolder(kept.source.path) : undefined;
  }
  if (source.kind === 'modelscope') return options.offline === true ? undefined : inModelScope(source, options);
  if (source.kind !== 'hf' || source.revision !== 'main' || options.offline === true) return undefined;
  const { listGgufFiles } = await import('../open.js');
  const { files } = await listGgufFiles(source.repository, options);
  const own = source.file ?? chooseModel(files, source.quantization)?.path;
  return own === undefined ? [] : inRepository(source, siblingsOf(own, files), files);
}

function inRepository(
  { repository, revision }: HubSource,
  siblings: readonly (HubFile & Named)[],
  files: readonly HubFile[],
): SiblingFile[] {
  // Once for each quantization, since it goes through all files.
  const names = new Set(siblings.map(({ quantization }) => quantization));
  const tagged = new Map([...names].map((name) => [name, chooseModel(files, name)?.path]));
  return siblings.map(({ path, bytes, quantization }) => {
    const own: HubSource = { kind: 'hf', repository, revision, file: path };
    const isTagged = tagged.get(quantization) === path;
    return { quantization, bytes, source: formatModelSource(own), file: path, isTagged };
  });
}

async function inModelScope(source: ModelScopeSource, options: ReadOptions): Promise<readonly SiblingFile[]> {
  const { listModelScope } = await import('../stores/modelscope.js');
  const files = await inSession(options, (session) => listModelScope(source, session));
  const own = source.file ?? chooseModel(files, source.quantization)?.path;
  if (own === undefined) return [];
  return siblingsOf(own, files).map(({ quantization, bytes, path }) => {
    const named = formatModelSource({ kind: 'modelscope', repository: source.repository, file: path });
    return { quantization, bytes, source: named, file: path, isTagged: false };
  });
}

async function inFolder(path: string): Promise<readonly SiblingFile[]> {
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.gguf$/i.test(name));
  const entries = await Promise.all(
    names.map(async (name) => {
      const bytes = await stat(join(folder, name)).then(
        ({ size }) => size,
        () => undefined,
      );
      return { path: name, bytes };
    }),
  );
  return siblingsOf(basename(path), modelFiles(entries)).map((file) => ({
    quantization: file.quantization,
    bytes: file.bytes,
    source: join(folder, file.path),
    file: file.path,
    isTagged: false,
  }));
}

interface Named {
  readonly quantization: string;
}

/** Files whose name differs from `own` in the quantization only, folders apart. */
function siblingsOf(own: string, files: readonly HubFile[]): readonly (HubFile & Named)[] {
  const name = modelNameOf(own);
  const kind = files.find(({ path }) => path === own)?.kind ?? 'model';
  return files.flatMap((file) => {
    const quantization = quantizationLabel(file.path)?.name;
    const isOne = file.kind === kind && quantization !== undefined && modelNameOf(file.path) === name;
    return isOne ? [{ ...file, quantization }] : [];
  });
}

/** The model's name in a file's name: without folders and quantization. */
function modelNameOf(path: string): string {
  const quantization = quantizationLabel(path);
  const stem = quantization === undefined ? stemOf(path) : path.slice(0, Math.max(0, quantization.start - 1));
  return basename(stem).toLowerCase();
}
