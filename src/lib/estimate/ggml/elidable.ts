import type { Tensor } from './tensor.js';

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
