import type { Catalog, CatalogEntry } from '../../catalog/catalog.js';
import type { HostMemory } from '../../host/host-memory.js';
import { checkMemory, type CheckDependencies } from '../check-memory.js';
import { type CheckRequest, planLaunch, type PlannedLaunch } from '../plan-check.js';
import type { MemoryCheck } from '../memory-check.js';

/**
 * Checks entries of a catalogue for one machine, which is measured once, so that all are held against the same. What it gives
 * throws UsageError for options that are not understood.
 */
export function entryChecker(
  catalog: Catalog,
  request: Omit<CheckRequest, 'model'>,
  { measureHost, remedy }: Pick<CheckDependencies, 'measureHost' | 'remedy'>,
): (entry: CatalogEntry, readHeader: CheckDependencies['readHeader']) => Promise<MemoryCheck> {
  let host: Promise<HostMemory> | undefined;
  // With all that an entry changes in it: in a copy, V8 sets what is there at once, but is slow to add something. So it is below.
  const asked: CheckRequest = { ...request, model: '', entry: undefined, amongOthers: true };
  const dependencies: Omit<CheckDependencies, 'readHeader'> = {
    loadCatalog: async () => catalog,
    planLaunch: rememberingDefaults(),
    measureHost: (machine) => (host ??= measureHost(machine)),
    advise: async () => [],
    ...(remedy && { remedy }),
  };
  return (entry, readHeader) => checkMemory({ ...asked, model: entry.id, entry }, { readHeader, ...dependencies });
}

/** Entries differ in their defaults only, and thousands have the same. */
function rememberingDefaults(): typeof planLaunch {
  const known = new Map<string, PlannedLaunch>();
  return (request, defaults) => {
    const key = JSON.stringify(defaults);
    const planned = known.get(key) ?? planLaunch(request, defaults);
    known.set(key, planned);
    return planned;
  };
}
