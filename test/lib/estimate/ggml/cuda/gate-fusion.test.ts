import { describe, expect, test } from '@jest/globals';
import { groupSharedExperts, keepGatedInputs } from '../../../../../src/lib/estimate/ggml/cuda/gate-fusion.js';
import { Graph } from '../../../../../src/lib/estimate/ggml/graph.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { contiguousStrides, F32, type Four, I32, Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName } from '../../../../../src/lib/gguf/ggml-types.js';

function weights(type: string, ...ne: Four): Tensor {
  const found = ggmlTypeByName(type);
  if (!found) throw new Error(type);
  const buffer = { device: 0, usage: 'weights', repacked: false } as const;
  return Object.assign(new Tensor(found, ne, contiguousStrides(found, ne)), { buffer });
}

function nodesOf(...results: Tensor[]): Tensor[] {
  const graph = new Graph();
  for (const result of results) graph.expand(result);
  return graph.nodes;
}

const TOKENS = 64;

describe("CUDA's kernel of gate, up and activation (v0.8.0)", () => {
  const input = ggml.newInput(F32, 256, TOKENS);
  const product = (type: string, rows = 256, of = input): Tensor => ggml.mulMat(weights(type, 256, rows, 1, 1), of);

  /** What stays until the end of the kernel, each once. */
  const kept = (result: Tensor, start = 0): readonly Tensor[] => {
    const list = new Set<Tensor>();
    const length = keepGatedInputs(nodesOf(result), start, (tensor, until) => {
      expect(until).toBe(result);
      list.add(tensor);
    });
    expect(length).toBe(list.size === 0 ? 0 : 3);
    return [...list];
  };

  test.each(['Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'IQ4_XS'])('keeps both products and what they read: %s', (type) => {
    const [gate, up] = [product(type), product(type)];
    expect(kept(ggml.glu(gate, up, 'swiglu'))).toEqual([gate, gate.src[0], input, up, up.src[0]]);
  });

  test.each(['swiglu', 'geglu', 'swiglu_oai', 'swiglu_clamp'] as const)(
    'is there for %s, whichever is first',
    (variant) => {
      const [gate, up] = [product('Q4_K'), product('Q4_K')];
      expect(kept(ggml.glu(gate, up, variant))).toHaveLength(5);
      const [first, second] = [product('Q4_K'), product('Q4_K')];
      expect(keepGatedInputs([first, second, ggml.glu(second, first, variant)], 0, () => undefined)).toBe(3);
    },
  );

  test('is there for some types and for whole tiles of rows', () => {
    const of = (type: string, rows?: number) => kept(ggml.glu(product(type, rows), product(type, rows), 'swiglu'));
    expect(['Q4_0', 'Q3_K', 'F16', 'IQ4_NL'].map((type) => of(type))).toEqual([[], [], [], []]);
    expect([of('Q4_K', 128).length, of('Q4_K', 192), of('Q4_K', 129)]).toEqual([5, [], []]);
  });

  test('is not there for products that differ in more than the weights, or of which one stands alone', () => {
    const other = ggml.newInput(F32, 256, TOKENS);
    expect(kept(ggml.glu(product('Q4_K'), product('Q4_K', 256, other), 'swiglu'))).toEqual([]);
    expect(kept(ggml.glu(product('Q4_K'), product('Q5_K'), 'swiglu'))).toEqual([]);
    expect(kept(ggml.glu(product('Q4_K'), product('Q4_K'), 'reglu'))).toEqual([]);
    expect(kept(ggml.glu(product('Q4_K', 512), null, 'swiglu'))).toEqual([]);
    expect(kept(ggml.add(product('Q4_K'), product('Q4_K')))).toEqual([]);
    const [first, second, third] = [product('Q4_K'), product('Q4_K'), product('Q4_K')];
    expect(keepGatedInputs([first, second, ggml.glu(first, third, 'swiglu')], 0, () => undefined)).toBe(0);
  });
});

describe('a shared expert of the size of the routed ones', () => {
  const layer = (sharedRows: number): { nodes: Tensor[]; shared: Tensor } => {
    const input = ggml.newInput(F32, 256, TOKENS);
    const ids = ggml.newInput(I32, 2, TOKENS);
    const each = ggml.reshape(input, 256, 1, TOKENS);
    const routed = (): Tensor => ggml.mulMatId(weights('Q4_K', 256, 128, 8, 1), each, ids);
    const [gate, up] = [routed(), routed()];
    const down = ggml.mulMatId(
      weights('Q4_K', 128 * 2, 256, 8, 1),
      ggml.reshape(ggml.glu(gate, up, 'swiglu'), 256, 1, TOKENS),
      ids,
    );
    const one = (): Tensor => ggml.mulMat(weights('Q4_K', 256, sharedRows, 1, 1), input);
    const shared = ggml.glu(one(), one(), 'swiglu');
    return { nodes: nodesOf(down, shared), shared };
  };

  test('is computed right behind them', () => {
    const { nodes, shared } = layer(128);
    const routed = nodes.findIndex(({ op }) => op === 'GLU');
    expect(nodes.indexOf(shared)).toBeGreaterThan(routed + 3);
    groupSharedExperts(nodes, () => undefined);
    expect(nodes.indexOf(shared)).toBe(routed + 3);
  });

  test('of another size stays where it is', () => {
    const { nodes, shared } = layer(256);
    const before = nodes.indexOf(shared);
    groupSharedExperts(nodes, () => undefined);
    expect(nodes.indexOf(shared)).toBe(before);
  });
});
