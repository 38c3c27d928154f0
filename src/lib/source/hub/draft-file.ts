import { formatModelSource, parseModelSource } from '../model-source.js';
import { listGgufFiles } from '../open.js';
import type { ReadOptions } from '../session.js';
import { chooseModel, type HubFile } from './hub-files.js';
import { chooseSibling } from './sibling-file.js';

/** What the names of a repository's draft files begin with, by the type of speculative decoding that they are for. */
const KEYWORDS = {
  'draft-mtp': 'mtp-',
  'draft-dspark': 'dspark-',
  'draft-dflash': 'dflash-',
  'draft-eagle3': 'eagle3-',
} as const;

type DraftType = keyof typeof KEYWORDS;

/** Where no type was asked for, the first of these that the repository has; DSpark outranks DFlash. */
const BY_RANK: readonly DraftType[] = ['draft-mtp', 'draft-dspark', 'draft-dflash', 'draft-eagle3'];
/** Where several were, the first of these is loaded. */
const BY_DOWNLOAD: readonly DraftType[] = ['draft-mtp', 'draft-dflash', 'draft-eagle3', 'draft-dspark'];

/** A draft in a repository that llama-server takes by its name. */
export interface DraftFile {
  /** As `parseModelSource` takes it. */
  readonly source: string;
  readonly specType: string;
}

/**
 * The draft that llama-server takes from a repository of the hub for the types of `--spec-type`, the model's own with
 * `-hf` or that of `-hfd`; undefined when it has none, or `text` is no source on the hub. Mirrors
 * `common_models_handler_init` and `common_models_handler_apply` (`common/arg.cpp`, llama.cpp v0.5.0).
 * @param types none asked for where empty: the draft's own name says it then
 * @throws SourceError when the repository cannot be listed
 */
export async function draftIn(
  text: string,
  types: readonly string[],
  options: ReadOptions,
): Promise<DraftFile | undefined> {
  const source = parseModelSource(text);
  const wanted = types.length === 0 ? BY_RANK : BY_DOWNLOAD.filter((type) => types.includes(type));
  if (source.kind !== 'hf' || wanted.length === 0) return undefined;
  const { repository, revision, quantization } = source;
  const { files } = await listGgufFiles(repository, options);
  const model = source.file ?? chooseModel(files, quantization)?.path ?? '';
  const found = chooseDraft(files, { model, quantization }, wanted);
  if (found === undefined) return undefined;
  const named = formatModelSource({ kind: 'hf', repository, revision, file: found.file.path });
  return { source: named, specType: found.specType };
}

function chooseDraft(
  files: readonly HubFile[],
  beside: Parameters<typeof chooseSibling>[2],
  wanted: readonly DraftType[],
): { readonly file: HubFile; readonly specType: DraftType } | undefined {
  for (const specType of wanted) {
    const file = chooseSibling(files, KEYWORDS[specType], beside);
    if (file !== undefined) return { file, specType };
  }
  return undefined;
}
