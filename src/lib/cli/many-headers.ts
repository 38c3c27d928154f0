import type { Catalog } from '../catalog/catalog.js';
import { PROJECTOR } from '../source/bundled-header.js';
import { type HeaderLookup, readHeadersFor } from '../source/many-headers.js';
import type { HeaderRequest } from '../source/model-header.js';
import { readingOf, type Surroundings } from './surroundings.js';
import { interruptible } from './terminal/interrupt.js';
import { startProgress } from './terminal/progress.js';

/** Reads the headers of all entries, as `readManyHeaders` does. */
export async function readCatalogHeaders(catalog: Catalog, surroundings: Surroundings): Promise<HeaderLookup> {
  const requests = catalog.flatMap((entry): HeaderRequest[] => {
    const model = { entry, source: entry.source, quantization: entry.quantization };
    const { mmproj, draft } = entry;
    return [
      model,
      ...(mmproj === undefined ? [] : [{ entry, source: mmproj, quantization: PROJECTOR }]),
      ...(draft === undefined ? [] : [{ entry: undefined, source: draft, quantization: undefined }]),
    ];
  });
  return readManyHeaders(requests, surroundings);
}

/**
 * Reads headers side by side, with a spinner that counts them.
 * @throws InterruptedError
 */
export async function readManyHeaders(
  requests: readonly HeaderRequest[],
  surroundings: Surroundings,
): Promise<HeaderLookup> {
  const progress = startProgress('Reading headers', surroundings.quiet);
  const options = readingOf(surroundings);
  const onSettled = (doneCount: number, totalCount: number): void =>
    progress.update(`Reading headers (${doneCount} of ${totalCount})`);
  try {
    return await interruptible((signal) => readHeadersFor(requests, { ...options, signal, onSettled }));
  } finally {
    progress.stop();
  }
}
