import { Graph } from '../../../src/lib/estimate/ggml/graph.js';
import * as ggml from '../../../src/lib/estimate/ggml/ops/ops.js';
import { record, type Tape } from '../../../src/lib/estimate/ggml/allocation/tape.js';
import { F16, F32, type Tensor } from '../../../src/lib/estimate/ggml/tensor.js';

/*
 * Models of a few ops a layer, whose layers look at each other in all the ways that real ones do, planned for a CPU.
 */

const WIDTH = 32;

/** A product with a weight of the layer, whose place on the tape it thereby begins. */
function product(cur: Tensor, layer: number): Tensor {
  const weight = ggml.newTensor(F32, WIDTH, WIDTH);
  weight.buffer = { device: 'cpu', usage: 'weights', repacked: false };
  weight.layer = layer;
  return ggml.mulMat(weight, cur);
}

function widened(cur: Tensor, times: number): Tensor {
  const wide = ggml.result('CONCAT', F32, [WIDTH * times, cur.ne[1], 1, 1], cur);
  return ggml.result('SUM_ROWS', F32, cur.ne, wide);
}

/** What a layer of each kind makes of its input; `seen` are the outputs of the layers before it. */
type Layer = (cur: Tensor, mask: Tensor, seen: readonly Tensor[]) => Tensor;

const KINDS: Readonly<Record<string, Layer>> = {
  /** A plain layer with a residual. */
  P: (cur) => ggml.add(ggml.mul(cur, cur), cur),
  /** Attends with the mask that all such layers share. */
  A: (cur, mask) => ggml.add(ggml.result('SOFT_MAX', F32, cur.ne, cur, mask), cur),
  /** Has an input of its own. */
  I: (cur) => ggml.add(cur, ggml.newInput(F32, WIDTH)),
  /** Looks at the layer before the one before it. */
  B: (cur, _, seen) => ggml.add(cur, seen.at(-2) ?? cur),
  /** Looks at the model's first layer. */
  F: (cur, _, seen) => ggml.add(cur, seen[0] ?? cur),
  /** Makes its input wide, or a little wider, and narrow again. */
  W: (cur) => ggml.add(widened(cur, 8), cur),
  N: (cur) => ggml.add(widened(cur, 2), cur),
  /** Looks at the middle of what was before it. */
  M: (cur, _, seen) => ggml.add(cur, seen[seen.length >> 1] ?? cur),
};

/** The tape of some layers of a model, which is a letter a layer, for so many tokens. */
export function tapeOf(model: string, layers: readonly number[], tokens = 1): Tape {
  const graph = new Graph();
  const mask = ggml.cast(ggml.newInput(F32, WIDTH), F16);
  let cur = ggml.sqr(ggml.newInput(F32, WIDTH, tokens));
  const seen: Tensor[] = [];
  for (const layer of layers) {
    const kind = KINDS[model[layer] as string] as Layer;
    seen.push((cur = kind(product(cur, layer), mask, seen)));
  }
  graph.expand(ggml.sqrt(cur));
  for (const leaf of graph.leafs) leaf.backend = 0;
  return record(
    graph.nodes.map((node) => ({ node, backend: 0 })),
    graph.leafs,
  );
}

/** Where its layers begin, and behind the last the end. */
export function beginsOf({ tensors }: Tape): number[] {
  const begins = tensors.flatMap(({ op }, slot) => (op === 'MUL_MAT' ? [slot] : []));
  return [...begins, tensors.length];
}
