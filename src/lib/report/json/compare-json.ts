import type { MemoryCheck } from '../../preflight/memory-check.js';
import { largestOf } from '../../preflight/surveys/largest-of.js';
import type { Together } from '../../preflight/surveys/together.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import type { VersionStep } from '../../preflight/surveys/version-steps.js';
import { checkJson } from './check-json.js';

/** Every check, and what they take together where that was asked: null where not all could be checked. */
export function compareJson(
  checks: readonly MemoryCheck[],
  together: Together | null | undefined,
  sets: readonly Together[],
): Record<string, unknown> {
  return {
    models: checks.map((check) => checkJson(check)),
    ...(together !== undefined && { together: together && togetherJson(together, sets) }),
  };
}

/** Every model in every version, and a step from each version to the next: undefined where it cannot be explained. */
export function versionsJson(
  compared: readonly {
    readonly checks: readonly MemoryCheck[];
    readonly steps: readonly (VersionStep | undefined)[];
  }[],
): Record<string, unknown> {
  return {
    models: compared
      .flatMap(({ checks }) => checks)
      .map((check) => ({ ...checkJson(check), largestContext: largestOf(check) ?? null })),
    steps: compared.flatMap(({ checks, steps }) =>
      steps.map((step) => ({ model: checks[0]?.model, ...(step ?? { causes: null }) })),
    ),
  };
}

function togetherJson(together: Together, sets: readonly Together[]): Record<string, unknown> {
  const { verdict } = together;
  const limits = verdict.limits.map((limit) => ({
    name: limit.name,
    ...(limit.gpu !== undefined && { gpu: limit.gpu }),
    requiredBytes: limit.requiredBytes,
    budgetBytes: limit.budget.bytes,
    headroomBytes: headroomBytes(limit),
  }));
  return { verdict: verdict.kind, limits, sets: sets.map(setJson) };
}

function setJson({ checks, verdict }: Together): Record<string, unknown> {
  const [limit] = verdict.limits;
  return {
    models: checks.map(({ model }) => model),
    verdict: verdict.kind,
    headroomBytes: limit === undefined ? null : headroomBytes(limit),
  };
}
