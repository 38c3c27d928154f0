import { LlmkubeError } from '../../errors.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { Change } from '../advice/advice.js';
import { changedLaunch } from '../advice/changed-launch.js';
import { promptCacheMiB, tightness } from './tightness.js';
import type { CompletedVerdict } from './verdict.js';
import { CONTEXT_STEP, SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

/** Of each the first that is enough. Two checkpoints stand at the end of every prompt: with fewer, each answer reads the whole prompt anew. */
const FEWER_CHECKPOINTS = [16, 8, 4, 2];
const HARDLY_CHECKPOINTS = [1, 0];
const FEWER_IMAGE_TOKENS = [1024, 512, 256];
const SMALLER_UBATCHES = [256, 128, 64];
const FEWER_DRAFTED = [2, 1];
/** Eighths of the context. */
const SMALLER_CONTEXTS = [7, 6, 5, 4, 3, 2, 1];

interface RemedyBounds {
  /** Tokens that stay. */
  readonly leastContext?: number;
  /** One slot only where a smaller context is not enough. */
  readonly slotsLast?: boolean;
}

/**
 * What keeps everything that grows after start-up within the budget, where a smaller prompt cache alone does not: what loses least
 * first, each held against the same limits by the same judgement. Empty where none of it does; undefined for a verdict that growth does not
 * make tight, or not beyond what a smaller prompt cache mends.
 * @param judgeWith throws what `estimateLaunch` throws
 */
export function growthRemedy(
  verdict: CompletedVerdict,
  launch: LaunchOptions,
  judgeWith: (launch: LaunchOptions) => CompletedVerdict | undefined,
  bounds: RemedyBounds = {},
): readonly Change[] | undefined {
  const cause = growthBeyond(verdict);
  if (cause === undefined || cause.cacheRamMiB !== undefined) return undefined;
  const judged = (changes: readonly Change[]): CompletedVerdict | undefined => {
    try {
      return judgeWith(changedLaunch(launch, changes));
    } catch (error) {
      if (error instanceof LlmkubeError) return undefined;
      throw error;
    }
  };
  for (const changes of attempts(verdict.estimate, launch, bounds)) {
    const found = judged(changes);
    if (found === undefined || found.kind === 'does-not-fit') continue;
    if (growthBeyond(found) === undefined) return changes;
    const mebibytes = promptCacheMiB(found.limits, found.estimate.growth);
    if (mebibytes === undefined) continue;
    const all = [...changes, { kind: 'prompt-cache', mebibytes } as const];
    const within = judged(all);
    if (within !== undefined && growthBeyond(within) === undefined) return all;
  }
  return [];
}

function growthBeyond({ kind, limits, estimate }: CompletedVerdict) {
  if (kind !== 'tight') return undefined;
  return tightness(limits, estimate.growth).find((cause) => cause.reason === 'growth');
}

/** Each change alone, then the least of all together, both with a smaller context, and last hardly any checkpoints. */
function* attempts(
  estimate: MemoryEstimate,
  launch: LaunchOptions,
  { leastContext = CONTEXT_STEP, slotsLast = false }: RemedyBounds,
): Generator<readonly Change[]> {
  const { slots, nCtx } = estimate.resolved;
  const single: readonly Change[] = slots > 1 ? [{ kind: 'slots', slots: 1 }] : [];
  const kinds = [...changesOf(estimate, launch), ...(slotsLast ? [] : [single])].filter(
    (changes) => changes.length > 0,
  );
  for (const changes of kinds) for (const change of changes) yield [change];
  const least = kinds.flatMap((changes) => changes.at(-1) ?? []);
  if (least.length > 1) yield least;
  for (const eighths of SMALLER_CONTEXTS) {
    const tokens = Math.floor((nCtx * eighths) / 8 / CONTEXT_STEP) * CONTEXT_STEP;
    if (tokens < leastContext) break;
    yield [{ kind: 'context', tokens }];
    if (least.length > 0) yield [{ kind: 'context', tokens }, ...least];
  }
  if (slotsLast) yield* [single, [...single, ...least]];
  if (!keepsStates(estimate)) return;
  for (const count of below(HARDLY_CHECKPOINTS, launch.ctxCheckpoints)) yield [{ kind: 'checkpoints', count }];
}

function keepsStates({ growth }: MemoryEstimate): boolean {
  return growth.some(({ name }) => name === 'context-checkpoints');
}

function below(counts: readonly number[], present = Infinity): readonly number[] {
  return counts.filter((count) => count < present);
}

/** What may help against each that grows, mildest first. */
function changesOf(
  estimate: MemoryEstimate,
  { ctxCheckpoints, imageMaxTokens, draftMax = SERVER_DEFAULTS.draftMax }: LaunchOptions,
): readonly (readonly Change[])[] {
  const { growth, resolved } = estimate;
  const images = growth.some(({ of }) => of === 'projector');
  const drafts = growth.some(({ name, of }) => of !== 'projector' && (name === 'output' || name === 'compute'));
  return [
    keepsStates(estimate)
      ? below(FEWER_CHECKPOINTS, ctxCheckpoints).map((count) => ({ kind: 'checkpoints', count }))
      : [],
    images ? below(FEWER_IMAGE_TOKENS, imageMaxTokens).map((tokens) => ({ kind: 'image-tokens', tokens })) : [],
    drafts ? below(SMALLER_UBATCHES, resolved.nUbatch).map((tokens) => ({ kind: 'ubatch', tokens })) : [],
    drafts ? below(FEWER_DRAFTED, draftMax).map((tokens) => ({ kind: 'draft-tokens', tokens })) : [],
  ];
}
