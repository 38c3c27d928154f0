import type { ContextMemory } from '../caches/cache.js';
import type { ArchitectureGraph } from '../graph/architecture-graph.js';
import type { Placement } from '../weights/placement.js';
import type { ContextParams } from './context-params.js';

/** A batch as it is computed, of sequences that fill so many cells. */
interface BatchInUse {
  readonly tokens: number;
  readonly outputs: number;
  readonly nSeqs: number;
  /** Unset = any number. */
  readonly cells?: number;
}

interface InUse {
  readonly params: ContextParams;
  readonly placement: Placement;
  readonly memory: ContextMemory;
  readonly graph: ArchitectureGraph;
}

/** Prompts' last parts of up to so many tokens are computed where the weights are, whole ones on the GPU: `op_offload_min_batch_size`. */
const FEW_TOKENS = 31;

/** Some layers are the GPU's, others the host's. */
export function isSplit({ placement: { hasGpu, fullOffload, hasOverrides } }: Pick<InUse, 'placement'>): boolean {
  return hasGpu && (!fullOffload || hasOverrides);
}

/**
 * A whole batch of one prompt from an empty cache on, since what is placed shrinks and grows with what is read of the cache; then
 * what each slot has drafted after its first token. A draft leaves a batch's last token to the next one, and puts out nothing of
 * the others (`process` of `common_speculative_impl_draft_eagle3`, `common/speculative.cpp`, v0.5.0).
 */
export function batchesInUse({ params, placement, memory: { compressed }, graph }: InUse): readonly BatchInUse[] {
  const { nCtx, nCtxSeq, nBatch, nUbatch, nSeqMax, kvUnified, role } = params;
  if (graph.encodes) return [{ tokens: Math.min(nCtx, nUbatch), outputs: 0, nSeqs: 1 }];
  const tokens = Math.min(nCtxSeq, nBatch) - (role.target ? 1 : 0);
  const parts = Math.ceil(tokens / nUbatch);
  const prompt = Array.from({ length: parts }, (_, i) => ({
    tokens: Math.min(nUbatch, tokens - i * nUbatch),
    outputs: i + 1 === parts && !role.target ? 1 : 0,
    // Graphs over compressed keys are described for all sequences only.
    nSeqs: compressed ? nSeqMax : 1,
    cells: Math.min(tokens, (i + 1) * nUbatch),
  }));
  const drafted = Math.min(nUbatch, nSeqMax * role.outputsPerSlot);
  const cells = (1 + role.outputsPerSlot) * (kvUnified ? nSeqMax : 1);
  const few = isSplit({ placement }) && nUbatch > FEW_TOKENS;
  const short = { tokens: FEW_TOKENS, outputs: 1, nSeqs: compressed ? nSeqMax : 1, cells: Math.min(nCtxSeq, nBatch) };
  return [...prompt, ...(few ? [short] : []), { tokens: drafted, outputs: drafted, nSeqs: nSeqMax, cells }];
}
