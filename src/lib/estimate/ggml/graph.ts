import { copyOf, type GraphPart, tensorsOf } from './graph-parts.js';
import type { Tensor } from './tensor.js';

/** `struct ggml_cgraph`: nodes in the order they will run, and the leafs that they read. */
export class Graph {
  readonly nodes: Tensor[] = [];
  readonly leafs: Tensor[] = [];
  /** What comes again in several layers. */
  readonly parts: GraphPart[] = [];
  /** Parts beside the graph, in all sizes that layers have of them; their tensors and inputs, and what copies of those are. */
  readonly samples: GraphPart[] = [];
  readonly sampled: Tensor[] = [];

  /** `ggml_build_forward_expand` (`ggml/src/ggml.c`, `ggml_visit_parents_graph`): sources first, left to right. */
  expand(tensor: Tensor): void {
    if (tensor.visited) return;
    tensor.visited = true;
    for (const source of tensor.src) {
      if (!source) continue;
      this.expand(source);
      source.useCount++;
    }
    (tensor.op === 'NONE' ? this.leafs : this.nodes).push(tensor);
  }

  addSample(sample: GraphPart): void {
    this.samples.push(sample);
    this.sampled.push(...sample.inputs);
    for (const tensor of tensorsOf(sample)) this.sampled.push(tensor, copyOf(tensor));
  }
}
