import { LlmkubeError, UsageError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { besideOf, type Room, type Trials } from '../advice/trials.js';
import { judgeLaunch } from '../judge/judge-launch.js';
import type { CompletedVerdict, UnknownVerdict, Verdict } from '../judge/verdict.js';

/** One of several launches that llama.cpp would refuse, or end on. */
export interface RefusedLaunch {
  readonly kind: 'refused';
  readonly reason: string;
}

export type SurveyVerdict = CompletedVerdict | RefusedLaunch;

/** Undefined also where nothing is known. */
export function unlessRefused(verdict: SurveyVerdict | undefined): CompletedVerdict | undefined {
  return verdict?.kind === 'refused' ? undefined : verdict;
}

/** What `judgeLaunch` makes of a launch, or why there is no such launch. */
export function orRefusal<T>(judged: () => T): T | RefusedLaunch {
  try {
    return judged();
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return { kind: 'refused', reason: error.message };
  }
}

/** The verdict on a launch on the machine of these trials, or why there is none. */
export function judgeOrRefusal(trials: Trials, shape: ModelShape, launch: LaunchOptions): SurveyVerdict {
  return trials.judge(shape, launch) ?? orRefusal(() => judgedAgain(trials.room, shape, launch));
}

/** Trials keep of what is refused only that it is. */
function judgedAgain(room: Room, model: ModelShape, launch: LaunchOptions): CompletedVerdict {
  return judgeLaunch({ ...besideOf(room, launch), model }, launch, room, true).verdict;
}

/**
 * Options that llama.cpp refuses for every one of several models that could be read are wrong by themselves.
 * @throws UsageError
 */
export function refuseForAll(verdicts: readonly (Verdict | Omit<CompletedVerdict, 'estimate'>)[]): void {
  const unknown = verdicts.flatMap((verdict) => (verdict.kind === 'unknown' ? [verdict as UnknownVerdict] : []));
  const refused = unknown.filter(({ isRefused }) => isRefused);
  const [first] = refused;
  if (first === undefined || unknown.length < verdicts.length) return;
  const isOneReason = refused.length > 1 && refused.every(({ reason }) => reason === first.reason);
  if (isOneReason || refused.length === unknown.length) throw new UsageError(first.code, first.reason);
}
