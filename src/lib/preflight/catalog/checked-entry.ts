import { totalBytes } from '../../estimate/memory-estimate.js';
import type { CompletedVerdict, UnknownVerdict } from '../judge/verdict.js';
import type { MemoryCheck } from '../memory-check.js';
import { largestOf } from '../surveys/largest-of.js';

/** What is kept of an entry's check: a catalogue has thousands, and a check holds all that there is to know of its model. */
export interface CheckedEntry {
  /** The entry's id. */
  readonly model: string;
  readonly useCases: readonly string[];
  readonly quantization: string | undefined;
  /** Tokens: those that were checked, or else those that the entry names. */
  readonly context: number | undefined;
  readonly requiredBytes: number | undefined;
  readonly llamaCpp: string | undefined;
  readonly verdict: Omit<CompletedVerdict, 'estimate'> | UnknownVerdict;
  /** The longest context in tokens that the machine holds of it; undefined when none. */
  readonly largest: number | undefined;
}

export function checkedEntry(check: MemoryCheck): CheckedEntry {
  const { model, entry, shape, estimate, verdict } = check;
  const { kind, warnings } = verdict;
  const limits = verdict.kind === 'unknown' ? [] : verdict.limits;
  return {
    model,
    useCases: entry?.useCases ?? [],
    quantization: shape?.quantization ?? entry?.quantization,
    context: estimate?.resolved.nCtx ?? entry?.contextSize,
    requiredBytes: limits[0]?.requiredBytes ?? (estimate && totalBytes(estimate)),
    llamaCpp: estimate?.resolved.llamaCpp,
    verdict: kind === 'unknown' ? verdict : { kind, warnings, limits },
    largest: largestOf(check),
  };
}
