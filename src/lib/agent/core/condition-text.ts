import { totalBytes, type MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { explainBudget } from '../../report/words/budget-text.js';
import { formatCompared, formatSize } from '../../report/words/bytes.js';
import { failureText } from '../../report/words/failure-text.js';
import { warningsOf } from '../../report/words/warnings.js';
import { shown } from '../../printable.js';
import type { FitReport } from './memory-fit.js';

/** A check that lets it run, or that somebody has overruled. @param modeFrom who has */
export function verdictReport(check: MemoryCheck, generation: number | undefined, modeFrom: string): FitReport {
  const { verdict } = check;
  if (verdict.kind === 'unknown' || verdict.kind === 'does-not-fit') {
    const { message } = refusalReport(check, generation);
    return {
      reason: 'Overruled',
      message: `started all the same, since ${modeFrom} says warn\n${message}`,
      generation,
    };
  }
  const [limit] = verdict.limits;
  const [required, available] = limit ? formatCompared(limit.requiredBytes, limit.budget.bytes) : ['', ''];
  const sentence = limit ? `needs ${required} of ${available} (${explainBudget(limit.budget)})` : '';
  const notes = verdict.kind === 'tight' ? warningsOf(check) : [];
  return { reason: verdict.kind === 'fits' ? 'Fits' : 'Tight', message: [sentence, ...notes].join('\n'), generation };
}

/** A check that does not let it run: the text that `check-memory` prints. */
export function refusalReport(check: MemoryCheck, generation: number | undefined): FitReport {
  const reason = check.verdict.kind === 'unknown' ? 'MemoryCheckFailed' : 'InsufficientMemory';
  const message = failureText(check).replace(/^Error: /, '');
  return { reason, message, generation, scheduling: { status: reason, message } };
}

/** Of a process that was taken over, and was let in by an earlier agent that could not say so. */
export function adoptedReport(estimate: Pick<MemoryEstimate, 'parts'>, generation: number | undefined): FitReport {
  const message = `needs ${formatSize(totalBytes(estimate))}, as it was let in before this agent started`;
  return { reason: 'Fits', message, generation };
}

/** Something that keeps the check from being made. @param advice each an order, as errors have them */
export function incompleteReport(
  problem: string,
  advice: readonly string[],
  generation: number | undefined,
  reason: 'MemoryCheckFailed' | 'ModelNotFound' = 'MemoryCheckFailed',
): FitReport {
  const message = [problem, ...advice.map((text) => `  Suggestion: ${text}`)].join('\n');
  return { reason, message, generation, scheduling: { status: reason, message } };
}

/** @param names of `spec.env`, which the server is started without */
export function withLeft(report: FitReport, names: readonly string[]): FitReport {
  if (names.length === 0) return report;
  return { ...report, message: `${report.message}\nnot passed on from spec.env: ${names.map(shown).join(', ')}` };
}

/** What nobody had foreseen. */
export function startFailure(error: unknown): string {
  return `it could not be started: ${error instanceof Error ? error.message : String(error)}`;
}

/** `measured 20.9GB, estimated 20.9GB`, once the server has said what it allocated. */
export function withProof(report: FitReport, proof: Proof): FitReport {
  const [measured, estimated] = [formatSize(proof.measuredBytes), formatSize(proof.estimatedBytes)];
  return { ...report, message: `${report.message}\nbuffers: measured ${measured}, estimated ${estimated}` };
}

/** Buffers as llama.cpp printed them, and as they were estimated. */
export interface Proof {
  readonly measuredBytes: number;
  readonly estimatedBytes: number;
}

/** The requirement by part, for the annotation that `llmkube status` shows. */
export function requirementText(estimate: Pick<MemoryEstimate, 'parts'>): string {
  const parts = estimate.parts.map(({ name, of, device, gpu, bytes }) => ({
    name,
    of,
    device,
    ...(gpu !== undefined && { gpu }),
    bytes,
  }));
  return JSON.stringify({ totalBytes: totalBytes(estimate), parts });
}
