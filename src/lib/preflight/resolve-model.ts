import { findEntry, requireEntry, type Catalog, type CatalogEntry } from '../catalog/catalog.js';
import { UsageError } from '../errors.js';
import { looksLikeSource } from '../source/model-source.js';

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
    source: otherQuantization(source, quantization, wanted),
    quantization: wanted.toUpperCase(),
    original: resolved.original ?? { source, quantization },
  };
}

/** `hf:OWNER/REPO` takes a quantization after a colon; elsewhere it is part of the file's name. */
function otherQuantization(source: string, own: string | undefined, wanted: string): string {
  const repository = /^(hf:(?:\/\/)?[^/:]+\/[^/:]+)(?::[^/]*)?$/.exec(source)?.[1];
  if (repository !== undefined) return `${repository}:${wanted.toUpperCase()}`;
  const file = source.slice(source.lastIndexOf('/') + 1);
  const named = own ?? QUANTIZATION_IN_NAME.exec(file)?.[0];
  if (named === undefined || !file.includes(named)) {
    throw new UsageError(
      'UNKNOWN_QUANTIZATION',
      `${source} does not say its quantization, so ${wanted} cannot be found`,
      {
        suggestions: ['name the file that has it instead of --quantization'],
      },
    );
  }
  const sameCase = named === named.toLowerCase() ? wanted.toLowerCase() : wanted.toUpperCase();
  return source.slice(0, source.length - file.length) + file.replace(named, sameCase);
}

const QUANTIZATION_IN_NAME = /(?:I?Q\d(?:_[A-Z0-9]+)*|B?F16|F32|MXFP4)(?=[.-])/i;
