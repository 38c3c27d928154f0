import type { Tensor } from '../ggml/tensor.js';

/**
 * Ops that stand for many where a layer's device has a kernel for them: `enum llm_fused_op` (`src/llama-graph.h`, llama.cpp
 * v0.5.0), in the order in which a context decides about them. Flash attention is decided before; the lightning indexer and
 * the delta net are always fused.
 */
export type FusedOp = 'hc-pre' | 'hc-comb' | 'hc-post';

/** A node that does a fused op's work, and the layer whose device is to run it. */
export interface FusedNode {
  readonly op: FusedOp;
  readonly node: Tensor;
  readonly layer: number;
}
