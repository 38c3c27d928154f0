import { describe, expect, test } from '@jest/globals';
import { keepFusedExperts } from '../../../../../src/lib/estimate/ggml/cuda/expert-fusion.js';
import { Graph } from '../../../../../src/lib/estimate/ggml/graph.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';

const TOKENS = 4;
const USED = 8;

describe("CUDA's kernel that chooses experts", () => {
  // As `build_moe_ffn` chooses them: probabilities, the best of them, and their weights.
  const kept = (experts: number): number => {
    const probs = ggml.softMax(ggml.newInput(F32, experts, TOKENS));
    const each = ggml.reshape(probs, 1, experts, TOKENS);
    const weights = ggml.getRows(each, ggml.argsortTopK(probs, USED));
    const graph = new Graph();
    graph.expand(weights);
    const list: Tensor[] = [];
    keepFusedExperts(graph.nodes, (tensor) => list.push(tensor), ggml.scale(weights), false);
    return list.length;
  };

  test.each([8, 128, 256, 512, 288, 576])('is there for %d', (experts) => {
    expect(kept(experts)).toBeGreaterThan(0);
  });

  test.each([1024, 160, 384])('is not there for %d', (experts) => {
    expect(kept(experts)).toBe(0);
  });
});
