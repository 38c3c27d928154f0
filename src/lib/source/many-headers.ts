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
  const readings = requests.map((request) => ({
    source: sourceOf(request.source),
    read: (shared: ReadManyOptions) => readHeaderFor(request, shared),
  }));
  const results = await readMany(readings, options);
  const found = new Map(requests.map(({ source }, index) => [source, results[index]]));
  return async ({ source }) => {
    const result = found.get(source);
    if (result === undefined) return readHeaderFor({ entry: undefined, source, quantization: undefined }, options);
    if ('value' in result) return result.value;
    throw ofOneModel(result.error);
  };
}

/** What is no source has a reading of its own, which fails. */
function sourceOf(text: string): ModelSource {
  try {
    return parseModelSource(text);
  } catch {
    return { kind: 'file', path: text };
  }
}

/** A bad source is one model's trouble, not that of the whole call. */
function ofOneModel(error: unknown): unknown {
  if (!(error instanceof UsageError) || error.code !== 'BAD_SOURCE') return error;
  return new CheckIncompleteError(error.code, error.message, error.options);
}
