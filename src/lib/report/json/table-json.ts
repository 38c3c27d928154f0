import type { QuantizationTable } from '../../preflight/surveys/quantizations.js';
import type { Saving } from '../../preflight/surveys/savings.js';
import type { ContextTable, MacFinding } from '../../preflight/surveys/survey.js';
import { headroomBytes, type LimitCheck } from '../../preflight/judge/verdict.js';
import { unlessRefused, type SurveyVerdict } from '../../preflight/surveys/judge-or-refusal.js';

export function contextTableJson(table: ContextTable): Record<string, unknown> {
  const { columns, names, rows, largest, isPerSlot } = table;
  return {
    columns,
    names,
    perSlot: isPerSlot,
    rows: rows.map(({ tokens, verdicts }) => ({ tokens, cells: verdicts.map(cellJson) })),
    largest: largest.map((tokens) => tokens ?? null),
  };
}

export function macsJson(macs: readonly MacFinding[]): readonly Record<string, unknown>[] {
  return macs.map(({ gigabytes, verdict, largest }) => ({
    gigabytes,
    ...cellJson(verdict),
    largestContext: largest ?? null,
  }));
}

export function savingsJson(savings: readonly Saving[]): readonly Record<string, unknown>[] {
  return savings.map(({ flags, savedBytes, verdict, isEstimated }) => ({
    flags,
    savedBytes: savedBytes ?? null,
    estimated: isEstimated,
    ...cellJson(verdict),
  }));
}

export function quantizationTableJson({ origin, rows }: QuantizationTable): Record<string, unknown> {
  return {
    columns: 'quantization',
    origin,
    rows: rows.map(({ quantization, source, fileBytes, isAsked, isEstimated, verdict, largest, problem }) => ({
      quantization,
      source: source ?? null,
      fileBytes: fileBytes ?? null,
      asked: isAsked,
      estimated: isEstimated,
      nCtx: unlessRefused(verdict)?.estimate.resolved.nCtx ?? null,
      ...cellJson(verdict),
      largestContext: largest ?? null,
      gpuLayers: unlessRefused(verdict)?.estimate.resolved.gpuLayers ?? null,
      problem: problem ?? null,
    })),
  };
}

/** What is required under the limit that decides, and whether it fits; amounts are bytes. */
function cellJson(verdict: SurveyVerdict | undefined): Record<string, unknown> {
  const completed = unlessRefused(verdict);
  const [limit] = completed?.limits ?? [];
  if (completed === undefined || limit === undefined) {
    const nothing = { requirementBytes: null, budgetBytes: null, headroomBytes: null, limit: null };
    const reason = verdict?.kind === 'refused' ? { reason: verdict.reason } : {};
    return { verdict: verdict?.kind ?? 'unknown', ...nothing, ...reason };
  }
  return {
    verdict: completed.kind,
    requirementBytes: limit.requiredBytes,
    budgetBytes: limit.budget.bytes,
    headroomBytes: headroomBytes(limit),
    ...limitNameJson(limit),
  };
}

/** Which memory an amount is of. */
export function limitNameJson({ name, gpu }: LimitCheck): Record<string, unknown> {
  return { limit: name, ...(gpu !== undefined && { gpu }) };
}
