import { findEntry, requireEntry, type Catalog, type CatalogEntry } from '../catalog/catalog.js';
import { UsageError } from '../errors.js';
import { quantizationInName, quantizationLabel, withOtherQuantization } from '../gguf/names/file-name.js';
import { isOffered, RECIPE_NAMES } from '../model/quantization/recipes.js';
import { nearest } from '../nearest.js';
import { shown } from '../printable.js';
import { formatModelSource, looksLikeSource, parseModelSource } from '../source/model-source.js';

/** What a person asked for, and the text of the source where it can be read. */
export interface ResolvedModel {
  readonly entry: CatalogEntry | undefined;
  readonly source: string;
  /** The quantization that was asked for or that the catalogue names; the header's own is what counts. */
  readonly quantization: string | undefined;
  /** Where another quantization was asked for: what would have been read without. */
  readonly original?: Pick<ResolvedModel, 'source' | 'quantization'>;
  /** By `--file`. */
  readonly isNamedFile?: boolean;
  /** Proposed, not asked for. */
  readonly isTried?: boolean;
}

/** What is read instead of what the model's name leads to. */
interface OtherFile {
  readonly quantization?: string | undefined;
  readonly file?: string | undefined;
}

/**
 * A catalogue id or alias, or else a source as it is. Another file or quantization is taken from the same place.
 * @throws UsageError UNKNOWN_MODEL, UNKNOWN_QUANTIZATION, BAD_SOURCE
 */
export function resolveModel(model: string, catalog: Catalog, other: OtherFile = {}): ResolvedModel {
  const { quantization, file } = other;
  const tagged = withTag(model, catalog);
  if (tagged !== undefined)
    return resolveModel(tagged.id, catalog, { file, quantization: quantization ?? tagged.quantization });
  const entry = looksLikeSource(model) ? findEntry(catalog, model) : requireEntry(catalog, model);
  return withOther({ entry, source: entry?.source ?? model, quantization: entry?.quantization }, other);
}

/** @throws UsageError UNKNOWN_QUANTIZATION, BAD_SOURCE */
export function resolveEntry(entry: CatalogEntry, other: OtherFile = {}): ResolvedModel {
  return withOther({ entry, source: entry.source, quantization: entry.quantization }, other);
}

function withOther(named: ResolvedModel, { quantization, file }: OtherFile): ResolvedModel {
  const own = named.quantization;
  if (file !== undefined) return withFile(named, file);
  if (quantization === undefined || quantization.toUpperCase() === own?.toUpperCase()) {
    return named;
  }
  return withQuantization(named, quantization);
}

/** True for `…:QUANT`, whatever stands before it. */
export function namesQuantization(model: string): boolean {
  const tag = /:([\w.-]+)$/.exec(model)?.[1];
  return tag !== undefined && quantizationLabel(`-${tag}`) !== undefined;
}

/** `ID:QUANT`, as a repository's quantizations are named. */
function withTag(model: string, catalog: Catalog): { id: string; quantization: string } | undefined {
  const [, id = '', quantization = ''] = /^([^:/\\]+):([\w-]+)$/.exec(model) ?? [];
  return namesQuantization(model) && findEntry(catalog, id) !== undefined ? { id, quantization } : undefined;
}

/** Publishers have tags of their own, but none is empty, and nobody has weights of no bits or of more than eight. */
const NO_QUANTIZATION = /^\s*$|^I?Q(0|9|\d{2,})(_|$)/i;

/** Nothing has a quantization of that name: what may be meant. */
export function noQuantization(wanted: string): UsageError {
  const name = wanted.toUpperCase();
  const longer = RECIPE_NAMES.filter((recipe) => recipe.startsWith(`${name}_`) && isOffered(recipe));
  const meant = longer.length > 0 ? longer : nearest(name, RECIPE_NAMES);
  return new UsageError('UNKNOWN_QUANTIZATION', `there is no quantization ${shown(wanted) || '""'}`, {
    suggestions: [meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : 'name one such as Q4_K_M'],
  });
}

/**
 * The same model from the same place in another quantization.
 * @throws UsageError UNKNOWN_QUANTIZATION
 */
export function withQuantization(resolved: ResolvedModel, wanted: string): ResolvedModel {
  if (NO_QUANTIZATION.test(wanted)) throw noQuantization(wanted);
  const original = resolved.original ?? { source: resolved.source, quantization: resolved.quantization };
  return {
    entry: resolved.entry,
    source: otherQuantization(original.source, wanted),
    quantization: wanted.toUpperCase(),
    original,
  };
}

/**
 * Another file of the same repository or folder.
 * @param file its path in the repository, or beside the model's own file
 * @throws UsageError BAD_SOURCE
 */
function withFile(resolved: ResolvedModel, file: string): ResolvedModel {
  const { entry, source, quantization } = resolved;
  const name = quantizationInName(file)?.name;
  return {
    entry,
    source: fileBeside(source, file),
    quantization: name,
    original: { source, quantization },
    isNamedFile: true,
  };
}

function fileBeside(source: string, file: string): string {
  const parsed = parseModelSource(source);
  if (!isFileBeside(file)) {
    const message = `--file ${shown(file)} is not a GGUF file beside the model; write it as FILE.gguf or FOLDER/FILE.gguf`;
    throw new UsageError('BAD_SOURCE', message);
  }
  switch (parsed.kind) {
    case 'file': {
      const folder = Math.max(parsed.path.lastIndexOf('/'), parsed.path.lastIndexOf('\\')) + 1;
      return parsed.path.slice(0, folder) + file;
    }
    case 'hf':
      return formatModelSource({ kind: 'hf', repository: parsed.repository, revision: parsed.revision, file });
    case 'modelscope':
      return formatModelSource({ kind: 'modelscope', repository: parsed.repository, file });
    case 'http':
      return new URL(file.split('/').map(encodeURIComponent).join('/'), parsed.url).href;
    default:
      throw new UsageError('BAD_SOURCE', `${shown(source)} is no repository or folder, so --file names nothing in it`, {
        suggestions: ['name the file instead of the model'],
      });
  }
}

function isFileBeside(file: string): boolean {
  return /\.gguf$/i.test(file) && !file.split(/[/\\]/).some((part) => part === '' || /^\.+$/.test(part));
}

/** `hf:OWNER/REPO` takes a quantization after a colon; elsewhere it is part of the file's name. */
function otherQuantization(source: string, wanted: string): string {
  const repository = /^(hf:(?:\/\/)?[^/:]+\/[^/:]+)(?::[^/]*)?$/.exec(source)?.[1];
  if (repository !== undefined) return `${repository}:${wanted.toUpperCase()}`;
  const parsed = parseModelSource(source);
  const isRepository = parsed.kind === 'hf' || parsed.kind === 'modelscope';
  const isLmStudioName = parsed.kind === 'lmstudio' && !/\.gguf$/i.test(parsed.name);
  if (isLmStudioName || (isRepository && parsed.file === undefined))
    return formatModelSource({ ...parsed, quantization: wanted.toUpperCase() });
  const [path = '', rest = ''] = parsed.kind === 'http' ? splitAt(source, source.search(/[?#]|$/)) : [source];
  const other = withOtherQuantization(path, wanted);
  if (other !== undefined) return other + rest;
  throw new UsageError(
    'UNKNOWN_QUANTIZATION',
    `${shown(source)} does not say its quantization, so ${shown(wanted)} cannot be found`,
    { suggestions: ['name the file that has it instead of --quantization'] },
  );
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at)];
}
