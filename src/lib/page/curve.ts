import { largestContext } from '../preflight/advice/largest-fitting.js';
import { usefulContext } from '../estimate/context/trained-context.js';
import { sameLimit, type CompletedVerdict, type LimitCheck } from '../preflight/judge/verdict.js';
import { answer, type PageModel, questionOf } from './answer.js';
import type { Controls } from './controls/controls.js';
import { CONTEXT_STEP } from '../runtime/server-defaults.js';

export interface CurvePoint {
  /** Tokens. */
  readonly context: number;
  readonly requiredBytes: number;
  readonly kind: CompletedVerdict['kind'];
}

/** What a launch takes by context, under the limit that decides at the chosen one. */
export interface Curve {
  readonly limit: LimitCheck;
  readonly points: readonly CurvePoint[];
  /** The most tokens that fit, up to what the model was trained with, as the terminal has it; 0 = none. */
  readonly largest: number;
}

const INTERVALS = 16;

/** The longest context that the controls offer: what the model was trained with, or what was asked for. */
export function longestContext({ shape, input }: PageModel, asked: number): number {
  return Math.max(usefulContext(shape, input.launch), padded(asked));
}

/** Undefined where llama-server refuses the launch. */
export function curveOf(model: PageModel, controls: Controls): Curve | undefined {
  const chosen = answer(model, controls);
  const limit = chosen.kind === 'judged' ? chosen.verdict.limits[0] : undefined;
  if (chosen.kind !== 'judged' || limit === undefined) return undefined;
  const { shape, launch, trials } = questionOf(model, controls);
  const longest = longestContext(model, controls.ctxSize);
  const contexts = new Set([CONTEXT_STEP, padded(controls.ctxSize)]);
  for (let i = 1; i <= INTERVALS; i++) contexts.add(padded((longest * i) / INTERVALS));
  const points = [...contexts]
    .sort((a, b) => a - b)
    .flatMap((context): CurvePoint[] => {
      const verdict = trials.judge(shape, { ...launch, ctxSize: context });
      const same = verdict && sameLimit(verdict.limits, limit);
      if (verdict === undefined || same === undefined) return [];
      return [{ context, requiredBytes: same.requiredBytes, kind: verdict.kind }];
    });
  const most = usefulContext(shape, launch, chosen.verdict.estimate.resolved);
  const largest = largestContext(trials, shape, launch, { least: CONTEXT_STEP, most });
  return { limit, points, largest: largest ?? 0 };
}

function padded(tokens: number): number {
  return Math.max(CONTEXT_STEP, Math.ceil(tokens / CONTEXT_STEP) * CONTEXT_STEP);
}
