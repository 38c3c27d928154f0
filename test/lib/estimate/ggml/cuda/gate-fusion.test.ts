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
  const kept = (type: string, rows = 256): readonly Tensor[] => {
    const input = ggml.newInput(F32, 256, TOKENS);
    const [gate, up] = [1, 2].map(() => ggml.mulMat(weights(type, 256, rows, 1, 1), input)) as [Tensor, Tensor];
    const list: Tensor[] = [];
    keepGatedInputs(nodesOf(ggml.glu(gate, up, 'swiglu')), 0, (tensor) => list.push(tensor));
    return list.filter((tensor) => tensor === input);
  };

  test('keeps its input until its end', () => {
    expect(kept('Q4_K').length).toBeGreaterThan(0);
  });

  test('is there for some types and for whole tiles of rows', () => {
    expect(kept('Q4_0')).toEqual([]);
    expect(kept('Q4_K', 192)).toEqual([]);
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
