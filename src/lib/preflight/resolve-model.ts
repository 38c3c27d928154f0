import { findEntry, requireEntry, type Catalog, type CatalogEntry } from '../catalog/catalog.js';
import { UsageError } from '../errors.js';
import { withOtherQuantization } from '../gguf/file-name.js';
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
}

/**
 * A catalogue id or alias, or else a source as it is. Another quantization is taken from the same place.
 * @throws UsageError UNKNOWN_MODEL, UNKNOWN_QUANTIZATION
 */
export function resolveModel(model: string, catalog: Catalog, quantization?: string): ResolvedModel {
  const entry = looksLikeSource(model) ? findEntry(catalog, model) : requireEntry(catalog, model);
  const source = entry?.source ?? model;
  const own = entry?.quantization;
  if (quantization === undefined || quantization.toUpperCase() === own?.toUpperCase()) {
    return { entry, source, quantization: own };
  }
  return withQuantization({ entry, source, quantization: own }, quantization);
}

/**
 * The same model from the same place in another quantization.
 * @throws UsageError UNKNOWN_QUANTIZATION
 */
export function withQuantization(resolved: ResolvedModel, wanted: string): ResolvedModel {
  const { entry, source, quantization } = resolved;
  return {
    entry,
    source: otherQuantization(source, wanted),
    quantization: wanted.toUpperCase(),
    original: resolved.original ?? { source, quantization },
  };
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
