import { quantizationInName } from '../../gguf/names/file-name.js';
import { parseShardName, type ShardName, shardPath, shardPaths } from '../../gguf/names/shard-name.js';

/** A model file of a repository; all parts of a split one together. */
export interface HubFile {
  /** A draft by its name is never taken for a model of its own. */
  readonly kind: 'model' | 'mmproj' | 'draft';
  /** Path in the repository, of the first part. */
  readonly path: string;
  readonly paths: readonly string[];
  /** Of all parts together; undefined when the hub did not say. */
  readonly bytes: number | undefined;
  /** Upper case, as in the file's name (`Q4_K_M`); undefined when it names none. */
  readonly quantization: string | undefined;
}

export interface HubEntry {
  readonly path: string;
  readonly bytes: number | undefined;
}

/** What llama.cpp v0.5.0 takes when nothing is asked for: `find_best_model` in `common/download.cpp`. */
export const PREFERRED_QUANTIZATIONS = ['Q4_K_M', 'Q8_0'];

/** Names that mark a file as a draft, no model of its own: `gguf_filename_is_model` in `common/download.cpp`, llama.cpp v0.5.0. */
const DRAFTS = ['mtp-', 'eagle3-', 'dflash-', 'dspark-'];

/** The files of a repository that hold models, in the hub's order. Splits that lack a part are left out. */
export function modelFiles(entries: readonly HubEntry[]): HubFile[] {
  const sizes = new Map(entries.map(({ path, bytes }) => [path, bytes]));
  return entries.flatMap(({ path }) => {
    const kind = kindOf(path);
    const shard = parseShardName(path);
    if (kind === undefined || (shard !== undefined && shard.number !== 1)) return [];
    const paths = shard === undefined ? [path] : presentParts(shard, sizes);
    if (paths === undefined) return [];
    const bytes = paths.reduce<number | undefined>((sum, part) => add(sum, sizes.get(part)), 0);
    return [{ kind, path, paths, bytes, quantization: quantizationInName(path)?.name }];
  });
}

/**
 * The model that `llama-server -hf OWNER/REPO[:QUANT]` would take, undefined when there is none. Mirrors
 * `find_best_model` in `common/download.cpp` of llama.cpp v0.5.0.
 */
export function chooseModel(files: readonly HubFile[], quantization?: string): HubFile | undefined {
  const models = files.filter(({ kind }) => kind === 'model');
  const tags = quantization === undefined ? PREFERRED_QUANTIZATIONS : [quantization];
  for (const tag of tags) {
    const pattern = new RegExp(`${tag.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[.-]`, 'i');
    const found = models.find(({ path }) => pattern.test(path));
    if (found !== undefined) return found;
  }
  return quantization === undefined ? models[0] : undefined;
}

/** The paths of a split's parts, where all are there; looked for one by one, since most of what is not whole lacks the next. */
function presentParts(shard: ShardName, sizes: ReadonlyMap<string, unknown>): readonly string[] | undefined {
  for (let number = shard.count; number > 0; number--) if (!sizes.has(shardPath(shard, number))) return undefined;
  return shardPaths(shard);
}

function kindOf(path: string): HubFile['kind'] | undefined {
  const name = path.split('/').at(-1) ?? '';
  if (!/\.gguf$/i.test(name)) return undefined;
  if (name.includes('mmproj')) return 'mmproj';
  if (name.includes('imatrix')) return undefined;
  return DRAFTS.some((word) => name.includes(word)) ? 'draft' : 'model';
}

function add(sum: number | undefined, bytes: number | undefined): number | undefined {
  return sum === undefined || bytes === undefined ? undefined : sum + bytes;
}
