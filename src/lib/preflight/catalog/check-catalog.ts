import type { Catalog, CatalogEntry } from '../../catalog/catalog.js';
import type { HostMemory } from '../../host/host-memory.js';
import { checkMemory, type CheckDependencies } from '../check-memory.js';
import type { CheckRequest } from '../plan-check.js';
import type { MemoryCheck } from '../memory-check.js';

/**
 * Checks entries of a catalogue for one machine, which is measured once, so that all are held against the same. What it gives
 * throws UsageError for options that are not understood.
 */
export function entryChecker(
  catalog: Catalog,
  request: Omit<CheckRequest, 'model'>,
  { measureHost }: Pick<CheckDependencies, 'measureHost'>,
): (entry: CatalogEntry, readHeader: CheckDependencies['readHeader']) => Promise<MemoryCheck> {
  let host: Promise<HostMemory> | undefined;
  const dependencies: Omit<CheckDependencies, 'readHeader'> = {
    loadCatalog: async () => catalog,
    measureHost: (machine) => (host ??= measureHost(machine)),
    advise: async () => [],
  };
  return ({ id }, readHeader) =>
    checkMemory({ ...request, model: id, amongOthers: true }, { ...dependencies, readHeader });
}
