import type { Tensor } from './tensor.js';

/** `struct ggml_cgraph`: nodes in the order they will run, and the leafs that they read. */
export class Graph {
  readonly nodes: Tensor[] = [];
  readonly leafs: Tensor[] = [];

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
}
