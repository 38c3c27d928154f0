import type { ModelShape } from '../../model/model-shape.js';
import type { GraphBuilder } from './builder.js';
import type { FusedOp } from './fused-ops.js';

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
  /** The newest build that the graph and its caches are those of, where later ones changed them. */
  readonly upToBuild?: number;
}
