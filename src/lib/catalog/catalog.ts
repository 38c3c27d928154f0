import { UsageError } from '../errors.js';
import { nearest } from '../nearest.js';

/** A model that can be deployed by name. */
export interface CatalogEntry {
  /** True for an entry of the catalogue that ships with this program, whose header may be bundled too. */
  readonly bundled?: boolean;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly name: string;
  readonly description: string;
  readonly useCases: readonly string[];
  /** Parameters as people say them: `32B`, `30B-A3B`. */
  readonly size: string;
  readonly quantization: string | undefined;
  readonly source: string;
  /** The multimodal projector that belongs to it, as a source. */
  readonly mmproj?: string | undefined;
  /** The draft model that it is served with, as a source. */
  readonly draft?: string | undefined;
  /** How it drafts, as `--spec-type` has it. */
  readonly specType?: string | undefined;
  readonly homepage: string | undefined;
  readonly mode: 'chat' | 'embedding' | 'rerank';
  /** Tokens that a deployment gets when it names no context; undefined = the runtime's default. */
  readonly contextSize: number | undefined;
  readonly gpuLayers: number | undefined;
  /** Kubernetes quantities. */
  readonly resources: {
    readonly cpu: string | undefined;
    readonly memory: string | undefined;
    readonly gpuMemory: string | undefined;
  };
  /** Requirement in GB of 2^30 bytes, lowest and highest. */
  readonly vramEstimate: string | undefined;
}

/** Entries in the order of the file. */
export type Catalog = readonly CatalogEntry[];

/** The entry of that id or alias, upper and lower case alike. */
export function findEntry(catalog: Catalog, name: string): CatalogEntry | undefined {
  return indexOf(catalog).get(name.toLowerCase());
}

const indices = new WeakMap<Catalog, ReadonlyMap<string, CatalogEntry>>();

/** Entries by id and alias in lower case: an id goes before an alias, the first before later ones. Made once for a catalogue. */
function indexOf(catalog: Catalog): ReadonlyMap<string, CatalogEntry> {
  const known = indices.get(catalog);
  if (known !== undefined) return known;
  const backwards = [...catalog].reverse();
  const index = new Map<string, CatalogEntry>();
  for (const entry of backwards) for (const alias of entry.aliases) index.set(alias.toLowerCase(), entry);
  for (const entry of backwards) index.set(entry.id.toLowerCase(), entry);
  indices.set(catalog, index);
  return index;
}

/**
 * Like `findEntry`, for a name that must be there.
 * @throws UsageError UNKNOWN_MODEL, with the names that come close.
 */
export function requireEntry(catalog: Catalog, name: string): CatalogEntry {
  const entry = findEntry(catalog, name);
  if (entry !== undefined) return entry;
  const near = nearest(
    name,
    catalog.flatMap(({ id, aliases }) => [id, ...aliases]),
  );
  throw new UsageError('UNKNOWN_MODEL', `there is no model "${name}" in the catalogue`, {
    suggestions: [
      ...(near.length > 0 ? [`did you mean ${near.join(', ')}?`] : []),
      'llmkube catalog list shows them all; a file is named by its path, a URL or hf:OWNER/REPO',
    ],
  });
}

/** `over` added to `base`: where both have an id, or `over` uses an alias of `base`, that of `over` counts. */
export function mergeCatalogs(base: Catalog, over: Catalog): Catalog {
  const ids = new Set(over.map(({ id }) => id));
  const taken = new Set(over.flatMap(({ id, aliases }) => [id, ...aliases]));
  const kept = base
    .filter(({ id }) => !ids.has(id))
    .map((entry) => ({ ...entry, aliases: entry.aliases.filter((alias) => !taken.has(alias)) }));
  return [...kept, ...over];
}
