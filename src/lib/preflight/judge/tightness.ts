import type { GrowthPart } from '../../estimate/memory-estimate.js';
import { headroomBytes, type LimitCheck } from './verdict.js';

/**
 * What can push a fit over: memory that others hold and do not touch at the moment, what grows after start-up, or too
 * little room beside the estimate. All in bytes.
 */
export type Tightness =
  | {
      readonly reason: 'others';
      /** What other programs would have to give up, by compression or swap. */
      readonly giveUpBytes: number;
      /** All that they hold idle. */
      readonly idleBytes: number;
    }
  | {
      readonly reason: 'growth';
      readonly growth: readonly GrowthPart[];
      /** How far beyond the budget all of it together can go; Infinity where it has no bound. */
      readonly overBytes: number;
      /** A limit of the prompt cache (`--cache-ram`) with which it stays within the budget; undefined where none does. */
      readonly cacheRamMiB: number | undefined;
    }
  | { readonly reason: 'headroom'; readonly limit: LimitCheck };

/** Headroom below this share of a budget is too little to call it a fit. */
export const COMFORTABLE_SHARE = 0.05;

const MIB = 2 ** 20;
const PROMPT_CACHE_STEP_BYTES = 256 * MIB;

/** Everything that makes a fit under these limits tight; empty when nothing does. */
export function tightness(limits: readonly LimitCheck[], growth: readonly GrowthPart[]): readonly Tightness[] {
  const narrow = limits
    .filter((limit) => headroomBytes(limit) < limit.budget.bytes * COMFORTABLE_SHARE)
    .map((limit) => ({ reason: 'headroom', limit }) as const);
  const overBytes = beyond(limits, growth);
  const cacheRamMiB = fittingCacheMiB(limits, growth);
  const grows =
    overBytes > 0 && growth.length > 0 ? [{ reason: 'growth', growth, overBytes, cacheRamMiB } as const] : [];
  return [...limits.flatMap(othersGiveUp), ...grows, ...narrow];
}

/** How far all of it together can go beyond a budget. */
function beyond(limits: readonly LimitCheck[], growth: readonly GrowthPart[]): number {
  return Math.max(...limits.map((limit) => growthOf(limit, growth) + idleOf(limit) - headroomBytes(limit)));
}

/** A limit of the prompt cache that is enough by itself: what grows on a GPU it does not bound. */
function fittingCacheMiB(limits: readonly LimitCheck[], growth: readonly GrowthPart[]): number | undefined {
  const cacheRamMiB = promptCacheMiB(limits, growth);
  if (cacheRamMiB === undefined) return undefined;
  const bounded = growth.map((part) =>
    part.name === 'prompt-cache' ? { ...part, maxBytes: cacheRamMiB * MIB } : part,
  );
  return beyond(limits, bounded) > 0 ? undefined : cacheRamMiB;
}

/**
 * What the prompt cache may take beside everything else that grows, in steps of 256 MiB; undefined where it does not grow,
 * or nothing is left for it.
 */
export function promptCacheMiB(limits: readonly LimitCheck[], growth: readonly GrowthPart[]): number | undefined {
  if (!growth.some(({ name }) => name === 'prompt-cache')) return undefined;
  const others = growth.filter(({ name }) => name !== 'prompt-cache');
  const left = Math.min(
    ...limits
      .filter(({ name }) => name === 'memory')
      .map((limit) => headroomBytes(limit) - idleOf(limit) - growthOf(limit, others)),
  );
  return left < 0 ? undefined : Math.floor(left / PROMPT_CACHE_STEP_BYTES) * (PROMPT_CACHE_STEP_BYTES / MIB);
}

function othersGiveUp(limit: LimitCheck): readonly Tightness[] {
  const idleBytes = idleOf(limit);
  const giveUpBytes = idleBytes - headroomBytes(limit);
  return idleBytes > 0 && giveUpBytes > 0 ? [{ reason: 'others', giveUpBytes, idleBytes }] : [];
}

function idleOf({ budget }: LimitCheck): number {
  return budget.kind === 'fraction' ? (budget.idleBytes ?? 0) : 0;
}

function growthOf(limit: LimitCheck, growth: readonly GrowthPart[]): number {
  return growthUnder(limit, growth).reduce((sum, { maxBytes }) => sum + maxBytes, 0);
}

/** What grows on a GPU counts against its limit, and against the memory that it shares. */
export function growthUnder(
  { name, gpu: own = 0, hostOnly }: LimitCheck,
  growth: readonly GrowthPart[],
): readonly GrowthPart[] {
  return growth.filter(({ device, gpu = 0 }) =>
    name === 'gpu' ? device === 'gpu' && gpu === own : device === 'host' || hostOnly !== true,
  );
}
