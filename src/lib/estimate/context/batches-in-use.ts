import type { ContextMemory } from '../caches/cache.js';
import type { ArchitectureGraph } from '../graph/architecture-graph.js';
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
  readonly memory: ContextMemory;
  readonly graph: ArchitectureGraph;
}

/**
 * A whole batch of one prompt from an empty cache on, since what is placed shrinks and grows with what is read of the cache; then
 * what each slot has drafted after its first token. A draft leaves a batch's last token to the next one, and puts out nothing of
 * the others (`process` of `common_speculative_impl_draft_eagle3`, `common/speculative.cpp`, v0.5.0).
 */
export function batchesInUse({ params, memory: { compressed }, graph }: InUse): readonly BatchInUse[] {
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
  return [...prompt, { tokens: drafted, outputs: drafted, nSeqs: nSeqMax, cells }];
}
