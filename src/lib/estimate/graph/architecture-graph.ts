import type { ModelShape } from '../../model/model-shape.js';
import type { GraphBuilder } from './builder.js';

/** An architecture's layer graph. */
export interface ArchitectureGraph {
  readonly build: (g: GraphBuilder) => void;
  /** What makes a layer's graph differ from another's beside its weights, heads, windows and recurrence. */
  readonly kindOf?: (layer: number, shape: ModelShape) => number;
}
