import type { Config } from '@oclif/core';
import { loadCatalog } from '../catalog/load-catalog.js';
import { measureHost } from '../host/measure-host.js';
import type { CheckDependencies, MemoryCheck } from '../preflight/check-memory.js';
import { readHeaderFor } from '../source/model-header.js';
import { startProgress } from './progress.js';

interface Surroundings {
  readonly config: Config;
  readonly catalog: string | undefined;
  readonly offline: boolean;
  /** No spinner. */
  readonly quiet: boolean;
}

/** The real outside world, for `checkMemory`. */
export function checkDependencies({ config, catalog, offline, quiet }: Surroundings): CheckDependencies {
  return {
    loadCatalog: () => loadCatalog(catalog),
    readHeader: async (model) => {
      const progress = startProgress(`Reading the header of ${model.source}`, quiet);
      try {
        return await readHeaderFor(model, { offline, cacheDir: config.cacheDir, env: process.env });
      } finally {
        progress.stop();
      }
    },
    measureHost,
  };
}

/** 0 fits or tight, 1 does not fit, 3 could not be checked. */
export function exitCodeOf({ verdict }: MemoryCheck): number {
  if (verdict.kind === 'unknown') return 3;
  return verdict.kind === 'does-not-fit' ? 1 : 0;
}
