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

/** `ggml_can_fuse_subgraph_ext` (`ggml/src/ggml.c`): nodes other than `outputs` (positions) are used only inside. */
export function elidable(nodes: readonly Tensor[], indices: readonly number[], outputs: readonly number[]): boolean {
  const members = indices.map((index) => nodes[index] as Tensor);
  return members.every((node, i) => {
    if (outputs.includes(i)) return true;
    if (node.isOutput) return false;
    let uses = 0;
    for (let j = i + 1; j < members.length; j++) {
      for (const source of (members[j] as Tensor).src) if (source === node) uses++;
    }
    if (uses !== node.useCount) return false;
    return !node.viewSrc || members.includes(node.viewSrc) || node.viewSrc.buffer?.usage === 'weights';
  });
}
