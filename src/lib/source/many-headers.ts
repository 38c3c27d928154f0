import { CheckIncompleteError, UsageError } from '../errors.js';
import { type HeaderRequest, type ModelHeader, readHeaderFor } from './model-header.js';
import { type ModelSource, parseModelSource } from './model-source.js';
import { readMany, type ReadManyOptions } from './read-many.js';

/** Gives the header of one of the models that were read, or throws what kept it from being read. */
export type HeaderLookup = (request: Pick<HeaderRequest, 'source'>) => Promise<ModelHeader>;

/** Reads the headers of many models, each as `readHeaderFor` reads one. A failure comes up when its header is looked up. */
export async function readHeadersFor(
  requests: readonly HeaderRequest[],
  options: ReadManyOptions,
): Promise<HeaderLookup> {
  const readings = requests.map((request) => {
    const source = sourceOf(request.source);
    return {
      source: source ?? noSource(request.source),
      read: (shared: ReadManyOptions) => readHeaderFor(request, shared, source),
    };
  });
  const results = await readMany(readings, options);
  const found = new Map(requests.map(({ source }, index) => [source, results[index]]));
  return async ({ source }) => {
    const result = found.get(source);
    if (result === undefined) return readHeaderFor({ entry: undefined, source, quantization: undefined }, options);
    if ('value' in result) return result.value;
    throw ofOneModel(result.error);
  };
}

/** More than a person goes through one by one; looking for what each may have meant would take longer than everything else. */
const MOST_SUGGESTED_FOR = 200;

/** Of several pieces of work that need one header at about the same time, one reads it. */
const RECENT = 16;

interface RecentReading {
  readonly source: string;
  readonly reading: Promise<ModelHeader>;
}

/**
 * Does a piece of work for each of many models, whose headers are read side by side; none is kept for longer than its work and the next few
 * take, however many there are. Results in the order of the models; the first failure that the work does not see to itself comes up.
 */
export async function withHeadersOf<M extends { readonly source: string }, T>(
  models: readonly M[],
  options: ReadManyOptions,
  work: (model: M, readHeader: (request: HeaderRequest) => Promise<ModelHeader>) => Promise<T>,
): Promise<readonly T[]> {
  const recent: RecentReading[] = [];
  let count = 0;
  const reader =
    (shared: ReadManyOptions, model: M, own: ModelSource | undefined) =>
    (request: HeaderRequest): Promise<ModelHeader> => {
      const known = recent.find(({ source }) => source === request.source);
      if (known !== undefined) return known.reading;
      const parsed = request.source === model.source ? own : undefined;
      const reading = readHeaderFor(request, shared, parsed).catch((error: unknown) => {
        throw ofOneModel(error);
      });
      recent[count++ % RECENT] = { source: request.source, reading };
      return reading;
    };
  const readings = models.map((model, index) => {
    const source = sourceOf(model.source);
    return {
      source: source ?? noSource(model.source),
      key: String(index),
      read: (shared: ReadManyOptions) => work(model, reader(shared, model, source)),
    };
  });
  const isLong = models.length > MOST_SUGGESTED_FOR;
  const results = await readMany(readings, isLong ? { ...options, asksWhatWasMeant: false } : options);
  return results.map((result) => {
    if ('error' in result) throw result.error;
    return result.value;
  });
}

/** What is no source has a reading of its own, which fails. */
function noSource(text: string): ModelSource {
  return { kind: 'file', path: text };
}

function sourceOf(text: string): ModelSource | undefined {
  try {
    return parseModelSource(text);
  } catch {
    return undefined;
  }
}

/** A bad source is one model's trouble, not that of the whole call. */
function ofOneModel(error: unknown): unknown {
  if (!(error instanceof UsageError) || error.code !== 'BAD_SOURCE') return error;
  return new CheckIncompleteError(error.code, error.message, error.options);
}
