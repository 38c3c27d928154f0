import { MAC_SIZES_GB } from '../../host/memory-sizes.js';
import { usefulContext } from '../../estimate/context/trained-context.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { CacheType, LaunchOptions } from '../../runtime/launch-options.js';
import { roomOf } from '../advice/machine-changes.js';
import { largestContext } from '../advice/largest-fitting.js';
import { type Room, Trials } from '../advice/trials.js';
import type { CompletedVerdict } from '../judge/verdict.js';
import { judgeOrRefusal, type SurveyVerdict } from './judge-or-refusal.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';

const GIB = 2 ** 30;
const FIRST_CONTEXT = 2048;
const MOST_CONTEXT_ROWS = 8;
const TABLE_CACHE_TYPES: readonly CacheType[] = ['f16', 'q8_0', 'q4_0'];
const TABLE_SLOTS: readonly number[] = [1, 2, 4, 8];

export type TableColumns = 'cache-type' | 'slots';

/** Verdicts for contexts (rows) and cache types or slots (columns). */
export interface ContextTable {
  readonly columns: TableColumns;
  readonly names: readonly string[];
  readonly rows: readonly { readonly tokens: number; readonly verdicts: readonly SurveyVerdict[] }[];
  /** Tokens that fit at the most, for each column; undefined when none do. */
  readonly largest: readonly (number | undefined)[];
  /** Every row of the table is for each slot, not for all together. */
  readonly isPerSlot: boolean;
}

/** What contexts from 2048 tokens to the trained one would take. With `slots`, each slot has that context to itself; layers on the GPU are the launch's. */
export function contextTable(
  trials: Trials,
  { shape, launch }: { shape: ModelShape; launch: LaunchOptions },
  columns: TableColumns,
): ContextTable {
  const isPerSlot = columns === 'slots';
  const launches: readonly ((tokens: number) => LaunchOptions)[] = isPerSlot
    ? TABLE_SLOTS.map((slots) => (tokens) => ({
        ...launch,
        parallel: slots,
        kvUnified: false,
        ctxSize: tokens * slots,
      }))
    : TABLE_CACHE_TYPES.map((type) => (tokens) => ({
        ...launch,
        cacheTypeK: type,
        cacheTypeV: type,
        ctxSize: tokens,
      }));
  const most = usefulContext(shape, launch);
  return {
    columns,
    isPerSlot,
    names: (isPerSlot ? TABLE_SLOTS : TABLE_CACHE_TYPES).map(String),
    rows: contextsUpTo(most).map((tokens) => ({
      tokens,
      verdicts: launches.map((at) => judgeOrRefusal(trials, shape, at(tokens))),
    })),
    largest: launches.map((at, column) => {
      const slots = isPerSlot ? (TABLE_SLOTS[column] ?? 1) : 1;
      const total = largestContext(trials, shape, at(1), { least: CONTEXT_STEP * slots, most: most * slots });
      return total === undefined ? undefined : Math.floor(total / slots / CONTEXT_STEP) * CONTEXT_STEP;
    }),
  };
}

/** Doubling from 2048 to the trained context, which is the last; the shortest are left out when there are many. */
function contextsUpTo(most: number): readonly number[] {
  const doubling: number[] = [];
  for (let tokens = FIRST_CONTEXT; tokens < most; tokens *= 2) doubling.push(tokens);
  return [...doubling, most].slice(-MOST_CONTEXT_ROWS);
}

/** One Mac, the verdict on a launch as it is, and the largest context that it holds; undefined when none. */
export interface MacFinding {
  readonly gigabytes: number;
  readonly verdict: CompletedVerdict;
  readonly largest: number | undefined;
}

/** Which Macs run a launch, with their default limits and so much in use. */
export function surveyMacs(
  { shape, launch, beside }: { shape: ModelShape; launch: LaunchOptions; beside?: Room['beside'] },
  { inUseBytes, fraction }: { inUseBytes: number; fraction?: number | undefined },
): readonly MacFinding[] {
  const onMetal: LaunchOptions = { ...launch, accelerator: 'metal' };
  return MAC_SIZES_GB.flatMap((gigabytes): MacFinding[] => {
    const trials = new Trials({ ...roomOf(gigabytes * GIB, inUseBytes, true, fraction), ...(beside && { beside }) });
    const verdict = trials.judge(shape, onMetal);
    if (verdict === undefined) return [];
    const bounds = { least: CONTEXT_STEP, most: usefulContext(shape, onMetal) };
    const isHopeless = trials.floorExceeds(shape, onMetal);
    const largest = isHopeless ? undefined : largestContext(trials, shape, onMetal, bounds);
    return [{ gigabytes, verdict, largest }];
  });
}

/** What a launch takes at so many contexts, evenly spaced up to the trained one. */
export function contextCurve(
  trials: Trials,
  { shape, launch }: { shape: ModelShape; launch: LaunchOptions },
  points: number,
): readonly { readonly tokens: number; readonly verdict: CompletedVerdict }[] {
  const most = usefulContext(shape, launch);
  return Array.from({ length: points }, (_, index) => {
    const share = points === 1 ? 1 : index / (points - 1);
    return Math.max(1, Math.round((most * share) / CONTEXT_STEP)) * CONTEXT_STEP;
  }).flatMap((tokens) => {
    const verdict = trials.judge(shape, { ...launch, ctxSize: tokens });
    return verdict === undefined ? [] : [{ tokens, verdict }];
  });
}
