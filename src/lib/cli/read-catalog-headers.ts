import type { Catalog, CatalogEntry } from '../catalog/catalog.js';
import { type HeaderLookup, readHeadersFor, withHeadersOf } from '../source/many-headers.js';
import type { HeaderRequest, ModelHeader } from '../source/model-header.js';
import type { ReadManyOptions } from '../source/read-many.js';
import { readingOf, type Surroundings } from './surroundings.js';
import { interruptible } from './terminal/interrupt.js';
import { startProgress } from './terminal/progress.js';

/**
 * Does a piece of work for each entry of a catalogue, whose headers are read side by side and not kept, with a spinner that counts them.
 * @throws InterruptedError, and what the work throws
 */
export function withEachEntry<T>(
  catalog: Catalog,
  surroundings: Surroundings,
  work: (entry: CatalogEntry, readHeader: (request: HeaderRequest) => Promise<ModelHeader>) => Promise<T>,
): Promise<readonly T[]> {
  return counted(surroundings, (options) => withHeadersOf(catalog, options, work));
}

/**
 * Reads headers side by side, with a spinner that counts them.
 * @throws InterruptedError
 */
export async function readManyHeaders(
  requests: readonly HeaderRequest[],
  surroundings: Surroundings,
): Promise<HeaderLookup> {
  return counted(surroundings, (options) => readHeadersFor(requests, options));
}

async function counted<T>(surroundings: Surroundings, read: (options: ReadManyOptions) => Promise<T>): Promise<T> {
  const progress = startProgress('Reading headers', surroundings.quiet);
  const options = readingOf(surroundings);
  const onSettled = (doneCount: number, totalCount: number): void =>
    progress.update(`Reading headers (${doneCount} of ${totalCount})`);
  try {
    return await interruptible((signal) => read({ ...options, signal, onSettled }));
  } finally {
    progress.stop();
  }
}
