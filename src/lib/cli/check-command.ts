import type { Config } from '@oclif/core';
import { loadCatalog } from '../catalog/load-catalog.js';
import { measureHost } from '../host/measure-host.js';
import type { CheckDependencies, MemoryCheck } from '../preflight/check-memory.js';
import type { AdviceSources } from '../preflight/find-advice.js';
import type { ResolvedModel } from '../preflight/resolve-model.js';
import { isUnreachable, readHeaderFor, type ModelHeader } from '../source/model-header.js';
import { startProgress } from './progress.js';

interface Surroundings {
  readonly config: Config;
  readonly catalog: string | undefined;
  readonly offline: boolean;
  /** No spinner. */
  readonly quiet: boolean;
}

/** A listing only helps to advise, so nobody waits long for it. */
const IMPATIENT = { timeouts: { connectMs: 3_000, firstByteMs: 8_000 }, retry: { attempts: 1 } } as const;

/** The real outside world, for `checkMemory`. */
export function checkDependencies(surroundings: Surroundings): CheckDependencies {
  const { config, catalog, offline, quiet } = surroundings;
  const reading = { offline, cacheDir: config.cacheDir, env: process.env };
  const readHeader = (model: ResolvedModel): Promise<ModelHeader> =>
    withProgress(`Reading the header of ${model.source}`, quiet, async () => {
      try {
        return await readHeaderFor(model, reading);
      } catch (error) {
        if (!isUnreachable(error) || model.original === undefined) throw error;
        const { requantisedHeader } = await import('../preflight/requantised-header.js');
        const header = await requantisedHeader(model, (known) => readHeaderFor(known, { ...reading, offline: true }));
        if (header === undefined) throw error;
        return header;
      }
    });
  return {
    loadCatalog: () => loadCatalog(catalog),
    readHeader,
    measureHost,
    advise: async (refused) => {
      const { findAdvice } = await import('../preflight/find-advice.js');
      return findAdvice(refused, adviceSources(surroundings, readHeader));
    },
  };
}

/** Where other quantizations of a model are looked for. */
export function adviceSources(
  { config, offline, quiet }: Surroundings,
  readHeader: CheckDependencies['readHeader'],
): AdviceSources {
  const reading = { offline, cacheDir: config.cacheDir, env: process.env, ...IMPATIENT };
  const listSiblings = async (source: string) => {
    const siblings = await import('../source/siblings.js');
    return withProgress(`Listing ${source}`, quiet, () => siblings.listSiblings(source, reading));
  };
  return { readHeader, listSiblings, offline };
}

async function withProgress<T>(text: string, quiet: boolean, work: () => Promise<T>): Promise<T> {
  const progress = startProgress(text, quiet);
  try {
    return await work();
  } finally {
    progress.stop();
  }
}

/** 0 fits or tight, 1 does not fit, 3 could not be checked. */
export function exitCodeOf({ verdict }: MemoryCheck): number {
  if (verdict.kind === 'unknown') return 3;
  return verdict.kind === 'does-not-fit' ? 1 : 0;
}
