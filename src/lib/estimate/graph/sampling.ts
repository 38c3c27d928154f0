import * as ggml from '../ggml/ops/ops.js';
import { topK } from '../ggml/ops/sparse-ops.js';
import { elements, type Tensor } from '../ggml/tensor.js';
import type { GraphBuilder } from './builder.js';

/** Tokens that a draft's sampler leaves: `common/speculative.cpp`. */
const TOP_K = 10;

/**
 * `llm_graph_context::build_sampling` (`src/llama-graph.cpp`) with `llama_sampler_top_k_backend_apply` (`src/llama-sampler.cpp`,
 * llama.cpp v0.5.0): a top-k chain for each slot over its rows of the logits, and one row more. Returns what is kept.
 */
export function sampleDrafts(g: GraphBuilder, logits: Tensor): Tensor[] {
  const { nTokens, nSeqs, nSeqTokens, nOutputs } = g;
  const [vocab, rows] = logits.ne;
  const padded = ggml.padTo(logits, [vocab, rows + 1, 1, 1]);
  const kept: Tensor[] = [];
  let next = 0;
  for (let slot = 0; slot < nSeqs; slot++) {
    const wanted = Math.min(nSeqTokens, g.params.role.outputsPerSlot, Math.min(nOutputs, nTokens) - next);
    const active = wanted > 0;
    for (let i = 0; i < (active ? wanted : 1); i++) {
      const row = ggml.view1d(padded, vocab, (active ? next + i : 0) * padded.nb[1]);
      const flat = ggml.reshape(row, elements(row));
      const best = topK(flat, TOP_K);
      const values = ggml.getRows(ggml.reshape(flat, 1, vocab), best);
      for (const result of [values, best]) {
        g.expand(logits);
        g.expand(result);
        if (active) kept.push(result);
      }
    }
    next += Math.max(0, wanted);
  }
  return kept;
}
