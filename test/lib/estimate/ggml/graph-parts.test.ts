import { describe, expect, test } from '@jest/globals';
import { counterpartsInParts, type GraphPart } from '../../../../src/lib/estimate/ggml/graph-parts.js';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { copyOn } from '../../../../src/lib/estimate/ggml/scheduler.js';
import { F32, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';

/** The root of the mean square of a stream's rows, times the stream, all on one backend. */
function scaledPart(name: string, backend: number): { part: GraphPart; stream: Tensor; normed: Tensor } {
  const stream = ggml.scale(ggml.newInput(F32, 8, 3));
  const normed = ggml.rmsNorm(stream);
  const result = ggml.mul(normed, stream);
  for (const tensor of [stream, normed, result]) tensor.backend = backend;
  return { part: { name, result, inputs: [stream] }, stream, normed };
}

describe('the parts of two graphs', () => {
  test('stand for one another where their names and backends are the same, result and all before it, without what they read', () => {
    const [a, b] = [scaledPart('mix of 2', 0), scaledPart('mix of 2', 0)];
    const others = [scaledPart('mix of 1', 0).part, scaledPart('mix of 2', 1).part, b.part];
    expect([...counterpartsInParts([a.part], others)]).toEqual([
      [a.normed, b.normed],
      [a.part.result, b.part.result],
    ]);
  });

  test('stand for nothing where names or backends differ', () => {
    const others = [scaledPart('mix of 1', 0).part, scaledPart('mix of 2', 1).part];
    expect(counterpartsInParts([scaledPart('mix of 2', 0).part], others).size).toBe(0);
  });

  test('go on behind what was copied to another device', () => {
    const a = scaledPart('mix of 2', 0);
    const b = scaledPart('mix of 2', 0);
    a.part.result.src[0] = copyOn(a.normed, 1);
    expect(counterpartsInParts([a.part], [b.part]).get(a.normed)).toBe(b.normed);
  });
});
