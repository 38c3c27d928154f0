import type { CatalogEntry } from '../../catalog/catalog.js';
import { LlmkubeError } from '../../errors.js';
import { PROJECTOR } from '../../source/bundled-header.js';
import type { HeaderOrigin, HeaderRequest, ModelHeader } from '../../source/model-header.js';
import { catalogFigures, type CatalogFigures } from './catalog-figures.js';
import { judgeVramEstimate, parseVramEstimate, type EstimateJudgement } from './vram-estimate.js';

/** unchecked: its header could not be had. unstated: it has no `vram_estimate` that could be wrong. */
export type EntryStatus = EstimateJudgement['status'] | 'unchecked' | 'unstated';

export interface EntryValidation {
  readonly entry: CatalogEntry;
  readonly status: EntryStatus;
  readonly judgement?: EstimateJudgement;
  readonly figures?: CatalogFigures;
  readonly header?: HeaderOrigin;
  /** Why it is unchecked. */
  readonly problem?: { readonly code: string; readonly message: string };
}

type ReadHeader = (model: HeaderRequest) => Promise<ModelHeader>;

/** Holds an entry's `vram_estimate` against what the estimator says. */
export async function validateEntry(entry: CatalogEntry, readHeader: ReadHeader): Promise<EntryValidation> {
  try {
    const { source, quantization, mmproj, draft } = entry;
    const { header, origin } = await readHeader({ entry, source, quantization });
    const projector =
      mmproj === undefined ? undefined : await readHeader({ entry, source: mmproj, quantization: PROJECTOR });
    const drafting = draft === undefined ? undefined : await readHeader(draftOf(draft));
    const headers = { model: header, projector: projector?.header, draft: drafting?.header };
    const figures = catalogFigures(entry, headers);
    const says = entry.vramEstimate === undefined ? undefined : parseVramEstimate(entry.vramEstimate);
    if (says === undefined) return { entry, status: 'unstated', figures, header: origin };
    const judgement = judgeVramEstimate(says, figures);
    return { entry, status: judgement.status, judgement, figures, header: origin };
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return { entry, status: 'unchecked', problem: { code: error.code, message: error.message } };
  }
}

function draftOf(source: string): HeaderRequest {
  return { entry: undefined, source, quantization: undefined };
}

/** What cannot be helped when nothing may be contacted. */
const EXPECTED_OFFLINE: readonly string[] = ['SOURCE_OFFLINE', 'SOURCE_UNSUPPORTED'];

/**
 * 1 when an estimate is not true; else 3 when an entry could not be checked. Offline, entries without a header at hand
 * are no failure as long as some could be checked.
 */
export function validationExitCode(results: readonly EntryValidation[], offline: boolean): 0 | 1 | 3 {
  if (results.some(({ status }) => status === 'wrong' || status === 'contradicts-context')) return 1;
  const unchecked = results.filter(({ status }) => status === 'unchecked');
  const excused = offline && unchecked.length < results.length;
  return unchecked.some(({ problem }) => !excused || !EXPECTED_OFFLINE.includes(problem?.code ?? '')) ? 3 : 0;
}
