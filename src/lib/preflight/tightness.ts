import type { GrowthPart } from '../estimate/memory-estimate.js';
import { headroomBytes, type LimitCheck } from './verdict.js';

/** What can push a fit over: what grows after start-up, or too little room beside the estimate. All in bytes. */
export type Tightness =
  | {
      readonly reason: 'growth';
      readonly growth: readonly GrowthPart[];
      /** How far beyond the budget all of it together can go; Infinity where it has no bound. */
      readonly overBytes: number;
    }
  | { readonly reason: 'headroom'; readonly limit: LimitCheck };

/** Headroom below this share of a budget is too little to call it a fit. */
export const COMFORTABLE_SHARE = 0.05;

/** Everything that makes a fit under these limits tight; empty when nothing does. */
export function tightness(limits: readonly LimitCheck[], growth: readonly GrowthPart[]): readonly Tightness[] {
  const narrow = limits
    .filter((limit) => headroomBytes(limit) < limit.budget.bytes * COMFORTABLE_SHARE)
    .map((limit) => ({ reason: 'headroom', limit }) as const);
  const overBytes = Math.max(...limits.map((limit) => growthOf(limit, growth) - headroomBytes(limit)));
  return overBytes > 0 && growth.length > 0 ? [{ reason: 'growth', growth, overBytes }, ...narrow] : narrow;
}

/** What grows is host memory, which a GPU's own limit does not see. */
function growthOf({ name }: LimitCheck, growth: readonly GrowthPart[]): number {
  return name === 'memory' ? growth.reduce((sum, { maxBytes }) => sum + maxBytes, 0) : 0;
}
