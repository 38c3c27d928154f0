import { loadCatalog } from '../catalog/load-catalog.js';
import { besideLedger } from '../guard/ledger/measure-beside-ledger.js';
import { measureHost } from '../host/measure-host.js';
import { largestPrograms } from '../host/processes/programs.js';
import type { CheckDependencies } from '../preflight/check-memory.js';
import type { CompleteCheck, MemoryCheck } from '../preflight/memory-check.js';
import type { AdviceSources } from '../preflight/advice/find-advice.js';
import type { QuantizationSources } from '../preflight/surveys/quantizations.js';
import type { ResolvedModel } from '../preflight/resolve-model.js';
import { printable } from '../printable.js';
import { isUnreachable, readHeaderFor, type HeaderRequest, type ModelHeader } from '../source/model-header.js';
import { formatModelSource, parseModelSource } from '../source/model-source.js';
import { redactedUrl } from '../source/redacted-url.js';
import { readOnce } from './read-once.js';
import { readingOf, type Surroundings } from './surroundings.js';
import { watchReading } from './terminal/watch-reading.js';

/** A listing only helps to advise, so nobody waits long for it. */
const IMPATIENT = { timeouts: { connectMs: 3_000, firstByteMs: 8_000 }, retry: { attempts: 1 } } as const;

/** The real outside world, for `checkMemory`. */
export function checkDependencies(surroundings: Surroundings): CheckDependencies {
  const { catalog, quiet } = surroundings;
  const reading = readingOf(surroundings);
  const readOffline = readOnce((known) => readHeaderFor(known, { ...reading, offline: true }));
  const readHeader = (model: ResolvedModel): Promise<ModelHeader> =>
    watchReading(`Reading the header of ${shown(model)}`, quiet, async (watch) => {
      try {
        return await readHeaderFor(model, { ...reading, ...watch });
      } catch (error) {
        if (!isUnreachable(error) || model.original === undefined) throw error;
        const { requantisedHeader } = await import('../preflight/requantised-header.js');
        const header = await requantisedHeader(model, readOffline, error);
        if (header === undefined) throw error;
        return header;
      }
    });
  return {
    loadCatalog: () => loadCatalog(catalog),
    readHeader,
    measureHost: besideLedger(measureHost),
    findProjector: async (source) => {
      const { projectorBeside } = await import('../source/hub/projector-file.js');
      return projectorBeside(source, reading);
    },
    findDraft: async (source, types) => {
      const { draftIn } = await import('../source/hub/draft-file.js');
      return draftIn(source, types, reading);
    },
    largestPrograms: () => largestPrograms(),
    advise: async (refused) => {
      const { findAdvice } = await import('../preflight/advice/find-advice.js');
      return findAdvice(refused, adviceSources(surroundings, readHeader));
    },
  };
}

/** Where other quantizations of a model are looked for. */
export function adviceSources(surroundings: Surroundings, readHeader: CheckDependencies['readHeader']): AdviceSources {
  const { offline, quiet } = surroundings;
  const reading = { ...readingOf(surroundings), ...IMPATIENT };
  const listed = async (source: string) => {
    const { listSiblings } = await import('../source/hub/siblings.js');
    const text = `Listing ${shown({ entry: undefined, source })}`;
    return watchReading(text, quiet, (watch) => listSiblings(source, { ...reading, ...watch }));
  };
  return { readHeader, listSiblings: listed, offline };
}

/** Where the quantizations of a model are listed and read. */
export function quantizationSources(
  surroundings: Surroundings,
  readHeader: CheckDependencies['readHeader'],
): QuantizationSources {
  const { listSiblings, offline } = adviceSources(surroundings, readHeader);
  const readHeaders = async (requests: readonly HeaderRequest[]) => {
    const { readManyHeaders } = await import('./read-catalog-headers.js');
    return readManyHeaders(requests, surroundings);
  };
  const { readHeader: readOffline } = checkDependencies({ ...surroundings, offline: true, quiet: true });
  return { listSiblings, readHeaders, readOffline, offline };
}

/** What is read, without anything secret. */
function shown({ entry, source }: Pick<ResolvedModel, 'entry' | 'source'>): string {
  if (entry !== undefined) return entry.id;
  const parsed = parseModelSource(source);
  return parsed.kind === 'http' ? redactedUrl(new URL(parsed.url)) : printable(formatModelSource(parsed));
}

/** A check that lets the model through. */
export function isPassed(check: MemoryCheck): check is CompleteCheck {
  return exitCodeOf(check) === 0;
}

/** 0 fits or tight, 1 does not fit, 3 could not be checked. */
export function exitCodeOf({ verdict }: MemoryCheck): number {
  if (verdict.kind === 'unknown') return 3;
  return verdict.kind === 'does-not-fit' ? 1 : 0;
}
