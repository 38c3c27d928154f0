import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../../nearest.js';
import { shown } from '../../printable.js';
import { chooseModel, type HubFile, modelFiles } from '../hub/hub-files.js';
import type { Session } from '../session.js';
import { SourceError } from '../source-error.js';
import { lmStudioFolders } from './folders.js';
import { type FoundInStore, printablePath } from './found-in-store.js';
import { formatStoreSource, type LmStudioSource } from './store-source.js';

/** `PUBLISHER/MODEL/FILE`, and a folder for each quantization of a split one. */
const DEEPEST = 4;
const MOST_NAMED = 8;
/** Links may lead in a circle, and from many places to one: of a store that looks as large as this, only the beginning counts. */
const MOST_ENTRIES = 10_000;

/** The model files of one folder `PUBLISHER/MODEL`. */
interface Kept {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly HubFile[];
}

/**
 * The GGUF file that a name of LM Studio stands for.
 * @throws SourceError when LM Studio does not keep it on this machine
 */
export async function findInLmStudio(source: LmStudioSource, session: Session): Promise<FoundInStore> {
  const kept = (
    await Promise.all((await lmStudioFolders(session.env)).map((root) => new Store(root, session.signal).kept()))
  ).flat();
  const named = byFile(kept, source.name);
  if (named !== undefined) return found(named.model, named.file, source);
  const models = byName(kept, source.name);
  const [model] = models;
  if (model === undefined) throw notKept(source, kept);
  if (models.length > 1) {
    const names = models.map(({ name }) => shown(name)).join(', ');
    throw new SourceError(
      'SOURCE_NOT_FOUND',
      `LM Studio keeps ${models.length} models named ${shown(source.name)}: ${names}; name one of them`,
    );
  }
  const file = chooseModel(model.files, source.quantization);
  if (file !== undefined) return found(model, file, source);
  const there = model.files.map(({ quantization, path }) => quantization ?? path);
  throw new SourceError(
    'SOURCE_NO_SUCH_QUANTIZATION',
    `LM Studio keeps ${shown(model.name)} on this machine, but not as ${shown(source.quantization ?? '')}; it has ${[...new Set(there)].slice(0, MOST_NAMED).map(shown).join(', ')}`,
  );
}

function found({ folder, files }: Kept, file: HubFile, source: LmStudioSource): FoundInStore {
  const path = join(folder, ...file.path.split('/'));
  const others = files.length - 1;
  const choice = others > 0 && source.quantization === undefined ? `, one of ${files.length} files of this model` : '';
  const chosen = `${formatStoreSource(source)} is the file ${printablePath(path)}${choice}, which LM Studio keeps on this machine`;
  return { source: { kind: 'file', path }, chosen };
}

/** One folder of LM Studio's, and how much of it may still be looked at. */
class Store {
  #left = MOST_ENTRIES;

  constructor(
    private readonly root: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async kept(): Promise<readonly Kept[]> {
    const all: Kept[] = [];
    for (const publisher of await this.#foldersIn(this.root)) {
      for (const model of await this.#foldersIn(join(this.root, publisher))) {
        const folder = join(this.root, publisher, model);
        const files = modelFiles(await this.#entriesIn(folder, '')).filter(({ kind }) => kind === 'model');
        if (files.length > 0) all.push({ name: `${publisher}/${model}`, folder, files });
      }
    }
    return all;
  }

  /** Folders, and links to folders that are there. */
  async #foldersIn(folder: string): Promise<readonly string[]> {
    const names = await this.#namesIn(folder);
    const kinds = await Promise.all(names.map((name) => kindOf(join(folder, name))));
    return names.filter((name, index) => !name.startsWith('.') && kinds[index] === 'folder');
  }

  async #entriesIn(folder: string, under: string): Promise<{ path: string; bytes: number }[]> {
    const names = (await this.#namesIn(join(folder, under))).toSorted();
    const entries = await Promise.all(
      names.map(async (name) => {
        const path = under === '' ? name : `${under}/${name}`;
        const kind = await kindOf(join(folder, path));
        if (typeof kind === 'number') return [{ path, bytes: kind }];
        return kind === 'folder' && path.split('/').length < DEEPEST - 2 ? this.#entriesIn(folder, path) : [];
      }),
    );
    return entries.flat();
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    if (this.#left <= 0 || this.signal?.aborted === true) return [];
    const names = (await readdir(folder).catch(() => [])).slice(0, this.#left);
    this.#left -= names.length;
    return names;
  }
}

/** A file's size; links that lead nowhere are nothing. */
async function kindOf(path: string): Promise<number | 'folder' | undefined> {
  return stat(path).then(
    (entry) => (entry.isFile() ? entry.size : entry.isDirectory() ? 'folder' : undefined),
    () => undefined,
  );
}

function byFile(kept: readonly Kept[], typed: string): { model: Kept; file: HubFile } | undefined {
  if (!/\.gguf$/i.test(typed)) return undefined;
  const wanted = typed.toLowerCase();
  for (const model of kept) {
    const file = model.files.find(({ paths }) =>
      paths.some((path) => [`${model.name}/${path}`, path].some((name) => name.toLowerCase() === wanted)),
    );
    if (file !== undefined) return { model, file };
  }
  return undefined;
}

/** By the whole name, else by that of the model alone, `-GGUF` left out or not. */
function byName(kept: readonly Kept[], typed: string): readonly Kept[] {
  const wanted = plain(typed);
  const whole =
    kept.find(({ name }) => name.toLowerCase() === typed.toLowerCase()) ??
    kept.find(({ name }) => plain(name) === wanted);
  if (whole !== undefined) return [whole];
  return kept.filter(({ name }) => plain(name.split('/')[1] ?? '') === wanted);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/-gguf$/, '');
}

function notKept({ name }: LmStudioSource, kept: readonly Kept[]): SourceError {
  const names = kept.map((model) => model.name);
  const alone = new Map(names.map((full) => [plain(full.split('/')[1] ?? ''), full]));
  const near = [
    ...nearest(name, names),
    ...nearest(plain(name), [...alone.keys()]).map((short) => alone.get(short) ?? short),
  ];
  const first = names.slice(0, MOST_NAMED).map(shown).join(', ');
  const there =
    names.length === 0 ? 'it keeps no GGUF model here' : `it has ${first}${names.length > MOST_NAMED ? ', …' : ''}`;
  return new SourceError(
    'SOURCE_NOT_FOUND',
    `LM Studio does not keep ${shown(name)} on this machine; ${there}`,
    near.length === 0
      ? {}
      : { suggestions: [...new Set(near)].slice(0, 3).map((full) => `lmstudio:${shown(full)} may be meant`) },
  );
}
