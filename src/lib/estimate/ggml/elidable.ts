import type { Tensor } from './tensor.js';

/** `ggml_can_fuse_subgraph_ext` (`ggml/src/ggml.c`): nodes other than `outputs` (positions) are used only inside. */
export function elidable(nodes: readonly Tensor[], indices: readonly number[], outputs: readonly number[]): boolean {
  for (let i = 0; i < indices.length; i++) if (!outputs.includes(i) && !isUsedInside(nodes, indices, i)) return false;
  return true;
}

function isUsedInside(nodes: readonly Tensor[], indices: readonly number[], position: number): boolean {
  const node = nodes[indices[position] as number] as Tensor;
  if (node.isOutput) return false;
  let uses = 0;
  for (let i = position + 1; i < indices.length; i++)
    for (const source of (nodes[indices[i] as number] as Tensor).src) if (source === node) uses++;
  if (uses !== node.useCount) return false;
  const { viewSrc } = node;
  return !viewSrc || viewSrc.buffer?.usage === 'weights' || indices.some((index) => nodes[index] === viewSrc);
}
