import type { AnyResource } from './client/api.js';
import { CHECK_ANNOTATIONS } from './check-record.js';

/** What the annotations of a resource say about the check that let it in. Amounts in bytes. */
export interface RecordedCheck {
  readonly verdict: string;
  readonly mode: string | undefined;
  readonly version: string | undefined;
  readonly reason: string | undefined;
  readonly contextSize: number | undefined;
  readonly slots: number | undefined;
  readonly requiredBytes: number | undefined;
  readonly budgetBytes: number | undefined;
  readonly gpuRequiredBytes: number | undefined;
  readonly gpuBudgetBytes: number | undefined;
  readonly containerLimitBytes: number | undefined;
}

/** Undefined for a resource that was not deployed with a record. */
export function recordedCheck(resource: AnyResource | undefined): RecordedCheck | undefined {
  const annotations = resource?.metadata.annotations ?? {};
  const verdict = annotations[CHECK_ANNOTATIONS.verdict];
  if (verdict === undefined) return undefined;
  const number = (key: string) => finiteNumber(annotations[key]);
  return {
    verdict,
    mode: annotations[CHECK_ANNOTATIONS.mode],
    version: annotations[CHECK_ANNOTATIONS.version],
    reason: annotations[CHECK_ANNOTATIONS.reason],
    contextSize: number(CHECK_ANNOTATIONS.contextSize),
    slots: number(CHECK_ANNOTATIONS.slots),
    requiredBytes: number(CHECK_ANNOTATIONS.requiredBytes),
    budgetBytes: number(CHECK_ANNOTATIONS.budgetBytes),
    gpuRequiredBytes: number(CHECK_ANNOTATIONS.gpuRequiredBytes),
    gpuBudgetBytes: number(CHECK_ANNOTATIONS.gpuBudgetBytes),
    containerLimitBytes: number(CHECK_ANNOTATIONS.limitBytes),
  };
}

/** Annotations can be edited by hand. */
function finiteNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
