import type { ModelShape } from '../../model/model-shape.js';
import type { GraphBuilder } from './builder.js';
import type { Tensor } from '../ggml/tensor.js';

/**
 * Ops that stand for many where a layer's device has a kernel for them: `enum llm_fused_op` (`src/llama-graph.h`, llama.cpp
 * v0.5.0), in the order in which a context decides about them. Flash attention is decided before; the lightning indexer and
 * the delta net are always fused.
 */
export type FusedOp = 'hc-pre' | 'hc-comb' | 'hc-post' | 'choice-mask';

/** A node that does a fused op's work, and the layer whose device is to run it. */
export class FusedNode {
  constructor(
    readonly op: FusedOp | 'flash-attention',
    readonly node: Tensor,
    readonly layer: number,
  ) {}
}

/** An architecture's layer graph. */
export interface ArchitectureGraph {
  readonly build: (g: GraphBuilder) => void;
  /** Unset = every model of the architecture. */
  readonly describes?: (shape: ModelShape) => boolean;
  /** What makes a layer's graph differ from another's beside its weights, heads, windows and recurrence. */
  readonly kindOf?: (layer: number, shape: ModelShape) => number;
  /** The same, but for what differs in parts that the graph names: see `GraphBuilder.part`. */
  readonly kindWithoutParts?: (layer: number, shape: ModelShape) => number;
  /** Ops that the graph fuses where the devices can, in the order of `FusedOp`. */
  readonly fusedOps?: readonly FusedOp[];
  /** The prompt's graph is also planned as one sequence, which may be larger: `sched_reserve` (`src/llama-context.cpp`). */
  readonly alsoOneSequence?: boolean;
  /** What a draft reads of its target is made ready in parts of a batch, of one sequence each, whatever has been cached. */
  readonly encodes?: boolean;
}
