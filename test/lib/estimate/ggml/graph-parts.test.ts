import { describe, expect, test } from '@jest/globals';
import { Graph } from '../../../../src/lib/estimate/ggml/graph.js';
import { counterpartsInSamples, GraphPart } from '../../../../src/lib/estimate/ggml/graph-parts.js';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { copyOn, F32, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';

/** The root of the mean square of a stream's rows, times the stream. */
function scaledPart(name: string, rows = 3): { part: GraphPart; stream: Tensor; normed: Tensor } {
  const stream = ggml.scale(ggml.newInput(F32, 8, rows));
  const normed = ggml.rmsNorm(stream);
  return { part: new GraphPart(name, ggml.mul(normed, stream), [stream]), stream, normed };
}

describe('the parts of a graph', () => {
  test('have their counterparts in the sample of their name, result and all before it, without what they read', () => {
    const [a, b] = [scaledPart('mix of 2'), scaledPart('mix of 2')];
    expect([...counterpartsInSamples([a.part], [scaledPart('mix of 1').part, b.part])]).toEqual([
      [a.normed, b.normed],
      [a.part.result, b.part.result],
    ]);
  });

  test('have none where no sample has their name', () => {
    expect(counterpartsInSamples([scaledPart('mix of 2').part], [scaledPart('mix of 1').part]).size).toBe(0);
  });

  test('go on behind what was copied to another device', () => {
    const [a, b] = [scaledPart('mix of 2'), scaledPart('mix of 2')];
    a.part.result.src[0] = copyOn(a.normed, 1);
    expect(counterpartsInSamples([a.part], [b.part]).get(a.normed)).toBe(b.normed);
  });
});

test('a sample adds nothing to what a graph computes, but what it reads, its tensors, and what copies of those are', () => {
  const graph = new Graph();
  const { part, stream, normed } = scaledPart('mix of 2', 5);
  graph.addSample(part);
  expect([graph.nodes, graph.leafs]).toEqual([[], []]);
  expect(graph.sampled.map(({ op, ne, original }) => [op, ne[1], original?.op])).toEqual([
    ['SCALE', 5, undefined],
    ['RMS_NORM', 5, undefined],
    ['NONE', 5, 'RMS_NORM'],
    ['MUL', 5, undefined],
    ['NONE', 5, 'MUL'],
  ]);
  expect([graph.sampled[0], graph.sampled[1]]).toEqual([stream, normed]);
});
