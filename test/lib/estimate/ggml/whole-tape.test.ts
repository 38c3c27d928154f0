import { describe, expect, test } from '@jest/globals';
import { fewestLayers } from '../../../../src/lib/estimate/context/fewest-layers.js';
import { cpuBackend } from '../../../../src/lib/estimate/ggml/cpu/backends.js';
import { Graph } from '../../../../src/lib/estimate/ggml/graph.js';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { record, type Tape, TensorSizes } from '../../../../src/lib/estimate/ggml/tape.js';
import { F16, F32, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';
import { wholeTape } from '../../../../src/lib/estimate/ggml/whole-tape.js';

const WIDTH = 32;

/** A product with a weight of the layer, whose place on the tape it thereby begins. */
function product(cur: Tensor, layer: number): Tensor {
  const weight = ggml.newTensor(F32, WIDTH, WIDTH);
  weight.buffer = { device: 'cpu', usage: 'weights', repacked: false };
  weight.layer = layer;
  return ggml.mulMat(weight, cur);
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
  /** Looks at the middle of what was before it. */
  M: (cur, _, seen) => ggml.add(cur, seen[seen.length >> 1] ?? cur),
};

function tapeOf(model: string, layers: readonly number[]): Tape {
  const graph = new Graph();
  const mask = ggml.cast(ggml.newInput(F32, WIDTH), F16);
  let cur = ggml.sqr(ggml.newInput(F32, WIDTH));
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

function beginsOf({ tensors }: Tape): number[] {
  const begins = tensors.flatMap(({ op }, slot) => (op === 'MUL_MAT' ? [slot] : []));
  return [...begins, tensors.length];
}

/** All that the allocator sees. */
function saidBy({ leafs, tensors, roots, starts, sources }: Tape): unknown {
  return tensors.map(({ op, isInput, type }, slot) => [
    slot < leafs ? 'leaf' : op,
    isInput,
    type.name,
    roots[slot],
    [...sources.subarray(starts[slot], starts[slot + 1])],
  ]);
}

function wholeOf(model: string, reach: number): { whole: Tape | null; planned: number } {
  const kinds = [...model].map((letter) => letter.charCodeAt(0));
  const { layers, others } = fewestLayers(kinds, { reach, times: 2 });
  if (!others) throw new Error('no layers stand for others');
  const tape = tapeOf(model, layers);
  const sizes = new TensorSizes([cpuBackend], tape.tensors.length);
  return {
    whole: wholeTape(tape, sizes, { ...others, layers, begins: beginsOf(tape) })?.tape ?? null,
    planned: layers.length,
  };
}

describe('the tape of all layers, from that of fewer', () => {
  test.each([
    ['P'.repeat(20), 1],
    ['PPPA'.repeat(6), 1],
    ['PPAPPPPPA'.repeat(4) + 'PP', 1],
    ['I'.repeat(12), 1],
    ['PPI'.repeat(7) + 'P', 1],
    ['PAIPPAIAPPAI'.repeat(5), 1],
    ['B'.repeat(12), 2],
    ['PPPB'.repeat(8), 2],
    ['PA' + 'F'.repeat(9), 1],
  ])('says of %s what planning every layer says', (model, reach) => {
    const { whole, planned } = wholeOf(model, reach);
    expect(planned).toBeLessThan(model.length);
    expect(whole && saidBy(whole)).toEqual(
      saidBy(
        tapeOf(
          model,
          [...model].map((_, layer) => layer),
        ),
      ),
    );
  });

  test.each([
    ['B'.repeat(12), 1],
    ['M'.repeat(12), 1],
    ['M'.repeat(16), 2],
  ])('is not guessed for %s, which looks further than the %d layers beside it', (model, reach) => {
    expect(wholeOf(model, reach).whole).toBeNull();
  });
});
