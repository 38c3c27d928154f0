import type { LimitCheck } from '../preflight/verdict.js';
import { answer, type PageModel } from './answer.js';
import type { Controls } from './controls.js';

export interface CurvePoint {
  /** Tokens. */
  readonly context: number;
  readonly requiredBytes: number;
  readonly fits: boolean;
}

/** What a launch takes by context, under the limit that decides at the chosen one. */
export interface Curve {
  readonly limit: LimitCheck;
  readonly points: readonly CurvePoint[];
  /** The most tokens that fit, to 256, up to what the model was trained with; 0 = none. */
  readonly largest: number;
}

const STEP = 256;
const INTERVALS = 16;

/** The longest context that the controls offer: what the model was trained with, or what was asked for. */
export function longestContext({ shape }: PageModel, asked: number): number {
  return Math.max(roundUp(shape.hparams.nCtxTrain), roundUp(asked));
}

/** Undefined where llama-server refuses the launch. */
export function curveOf(model: PageModel, controls: Controls): Curve | undefined {
  const chosen = answer(model, controls);
  const limit = chosen.kind === 'judged' ? chosen.verdict.limits[0] : undefined;
  if (limit === undefined) return undefined;
  const longest = longestContext(model, controls.ctxSize);
  const contexts = new Set([STEP, roundUp(controls.ctxSize)]);
  for (let i = 1; i <= INTERVALS; i++) contexts.add(roundUp((longest * i) / INTERVALS));
  const points: CurvePoint[] = [];
  for (const context of [...contexts].sort((a, b) => a - b)) {
    const point = pointAt(model, controls, context, limit.name);
    if (point !== undefined) points.push(point);
  }
  return { limit, points, largest: largestFitting(model, controls, limit.name) };
}

function pointAt(
  model: PageModel,
  controls: Controls,
  ctxSize: number,
  name: LimitCheck['name'],
): CurvePoint | undefined {
  const at = answer(model, { ...controls, ctxSize });
  if (at.kind === 'refused') return undefined;
  const limit = at.verdict.limits.find((other) => other.name === name);
  if (limit === undefined) return undefined;
  return { context: ctxSize, requiredBytes: limit.requiredBytes, fits: at.verdict.kind !== 'does-not-fit' };
}

function largestFitting(model: PageModel, controls: Controls, name: LimitCheck['name']): number {
  const fits = (steps: number): boolean => pointAt(model, controls, steps * STEP, name)?.fits === true;
  let most = 0;
  let tooMany = Math.floor(model.shape.hparams.nCtxTrain / STEP) + 1;
  if (tooMany > 1 && fits(tooMany - 1)) return (tooMany - 1) * STEP;
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  return most * STEP;
}

function roundUp(tokens: number): number {
  return Math.max(STEP, Math.ceil(tokens / STEP) * STEP);
}
