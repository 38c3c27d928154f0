import type { ModelShape } from '../../model/model-shape.js';
import type { Speculation } from './speculation.js';

/** What `common_speculative_impl_draft_dflash` (`common/speculative.cpp`, llama.cpp v0.5.0) takes a block for that does not say it. */
const BLOCK_TOKENS = 16;

/** Of a block, the token that was last is the first, unless a DSpark drafts in its place. */
export function anchorTokens({ keys }: ModelShape, { types }: Speculation): number {
  return types.includes('draft-dspark') && keys.raw('sample_from_anchor') !== false ? 0 : 1;
}

/** Tokens that a slot drafts in one pass. */
export function draftedAtOnce(shape: ModelShape, speculation: Speculation): number {
  const most = shape.keys.number('block_size', BLOCK_TOKENS) - anchorTokens(shape, speculation);
  return Math.max(0, Math.min(speculation.draftMax, most));
}

/** What `common_speculative_n_max` of a running server is, where a draft of blocks is one of those that draft. */
export function draftedInUse(shape: ModelShape, speculation: Speculation): number {
  return Math.max(speculation.draftedApart, speculation.draftsBlocks ? draftedAtOnce(shape, speculation) : 0);
}
