import { FIGURES_LLAMA_CPP, SHORT_CONTEXT } from '../../preflight/catalog/catalog-figures.js';
import type { EntryStatus, EntryValidation } from '../../preflight/catalog/validate-catalog.js';
import { formatVramEstimate } from '../../preflight/catalog/vram-estimate.js';

const STATUSES: readonly EntryStatus[] = ['true', 'contradicts-context', 'wrong', 'unchecked', 'unstated'];

/** A validated catalogue as one JSON object, described by `schemas/catalog-validate.schema.json`. Amounts are bytes. */
export function validationJson(results: readonly EntryValidation[]): Record<string, unknown> {
  return {
    llamaCpp: FIGURES_LLAMA_CPP,
    shortContext: SHORT_CONTEXT,
    summary: Object.fromEntries(
      STATUSES.map((status) => [status, results.filter((result) => result.status === status).length]),
    ),
    entries: results.map(entryJson),
  };
}

function entryJson({ entry, status, judgement, figures, header, problem }: EntryValidation): Record<string, unknown> {
  return {
    id: entry.id,
    quantization: entry.quantization ?? null,
    vram_estimate: entry.vramEstimate ?? null,
    status,
    end: judgement?.end ?? null,
    offBytes: judgement?.offBytes ?? null,
    short: figures?.short ?? null,
    own: figures?.own ?? null,
    trueEstimate: figures === undefined ? null : formatVramEstimate(figures),
    header: header ?? null,
    ...(problem && { error: problem }),
  };
}
