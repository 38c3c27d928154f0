import type { FittedLaunch } from '../../preflight/fit/fit-launch.js';
import type { Preference } from '../../preflight/fit/fit-search.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import { tightnessOf } from '../words/warnings.js';
import { limitJson } from './check-json.js';

/** The best launch, and the command that starts it, null where there is none; amounts are bytes. */
export function fitJson(
  fitted: FittedLaunch,
  command: readonly string[] | undefined,
  prefer: Preference,
  notes: readonly string[],
): Record<string, unknown> {
  const { verdict, shape, variant, cacheRamMiB, contextIsWhole, missedContext } = fitted;
  const [limit] = verdict.limits;
  return {
    prefer,
    command: command?.join(' ') ?? null,
    quantization: shape.quantization,
    estimated: variant?.isEstimated === true,
    launch: verdict.estimate.resolved,
    cacheRamMiB: cacheRamMiB ?? null,
    contextIsWhole,
    missedContext: missedContext ?? null,
    requirementBytes: limit?.requiredBytes ?? null,
    headroomBytes: limit === undefined ? null : headroomBytes(limit),
    limits: verdict.limits.map(limitJson),
    verdict: verdict.kind,
    warnings: [...tightnessOf(fitted), ...notes],
  };
}
