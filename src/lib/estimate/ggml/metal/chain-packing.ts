import { type Op, sameShape, type Tensor } from '../tensor.js';

/** Nodes that stay together at most: `MAX_FUSE` in `ggml_graph_optimize`. */
const LONGEST = 16;
const STARTS: ReadonlySet<Op> = new Set<Op>(['ADD', 'NORM', 'RMS_NORM']);
const CONTINUES: ReadonlySet<Op> = new Set<Op>(['ADD', 'MUL', 'NORM', 'RMS_NORM']);

/**
 * How many nodes from `start` on stay together where there is no table of fusions: sums, products and norms in a row, each
 * reading the one before it and read by nobody else; `ggml_graph_optimize` (`ggml/src/ggml-metal/ggml-metal-common.cpp`,
 * b10472) with `ggml_can_fuse_ext` (`ggml/src/ggml-impl.h`).
 */
export function chainLength(nodes: readonly Tensor[], start: number): number {
  if (!STARTS.has((nodes[start] as Tensor).op)) return 1;
  let length = 1;
  while (length < LONGEST && joins(nodes[start + length - 1] as Tensor, nodes[start + length])) length++;
  return length;
}

function joins(previous: Tensor, node: Tensor | undefined): boolean {
  if (!node || !CONTINUES.has(node.op)) return false;
  if (previous.useCount !== 1 || previous.viewSrc || previous.isOutput) return false;
  return (node.src[0] === previous || node.src[1] === previous) && sameShape(node, previous);
}
