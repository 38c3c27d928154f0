import type { Catalog } from '../../catalog/catalog.js';
import type { HostMemory } from '../../host/host-memory.js';
import { checkMemory, type CheckDependencies } from '../check-memory.js';
import type { CheckRequest } from '../plan-check.js';
import type { MemoryCheck } from '../memory-check.js';

/**
 * Checks every entry of a catalogue for one machine, which is measured once, so that all are held against the same.
 * @throws UsageError for options that are not understood
 */
export async function checkCatalog(
  catalog: Catalog,
  request: Omit<CheckRequest, 'model'>,
  { readHeader, measureHost }: Pick<CheckDependencies, 'readHeader' | 'measureHost'>,
): Promise<readonly MemoryCheck[]> {
  let host: Promise<HostMemory> | undefined;
  const dependencies: CheckDependencies = {
    loadCatalog: async () => catalog,
    readHeader,
    measureHost: (machine) => (host ??= measureHost(machine)),
    advise: async () => [],
  };
  const checks: MemoryCheck[] = [];
  for (const { id } of catalog) checks.push(await checkMemory({ ...request, model: id }, dependencies));
  return checks;
}
