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

describe('what chooses experts', () => {
  const logits = (): Tensor => ggml.newInput(F32, 64, TOKENS);
  const choose = (probs: Tensor, scores = probs): Tensor =>
    ggml.getRows(ggml.reshape(probs, 1, 64, TOKENS), ggml.argsortTopK(scores, USED));
  const normalised = (weights: Tensor, clamps = true): Tensor => {
    const flat = ggml.reshape(weights, USED, TOKENS);
    const sum = ggml.sumRows(flat);
    return ggml.reshape(ggml.div(flat, clamps ? ggml.clamp(sum) : sum), 1, USED, TOKENS);
  };
  /** The ops that are kept until the node behind them, in order. */
  const kept = (result: Tensor): string => {
    const graph = new Graph();
    graph.expand(ggml.cont(result));
    const list = new Map<Tensor, Tensor>();
    keepFusedExperts(graph.nodes, (tensor, until) => list.set(tensor, until), undefined, false);
    const behind = graph.nodes[graph.nodes.findLastIndex((node) => list.has(node)) + 1];
    expect([...list.values()].every((until) => until === behind)).toBe(true);
    return graph.nodes.flatMap((node) => (list.has(node) ? [node.op] : [])).join(' ');
  };
  const CHOICE = 'RESHAPE ARGSORT VIEW GET_ROWS';
  const NORM = 'RESHAPE SUM_ROWS CLAMP DIV RESHAPE';

  test.each<[string, () => Tensor, string]>([
    ['softmax', () => choose(ggml.softMax(logits())), `SOFT_MAX ${CHOICE}`],
    ['a sigmoid', () => choose(ggml.unary(logits(), 'sigmoid')), `UNARY ${CHOICE}`],
    ['the root of a softplus', () => choose(ggml.sqrt(ggml.unary(logits(), 'softplus'))), `UNARY SQRT ${CHOICE}`],
    ['then normalised', () => normalised(choose(ggml.softMax(logits()))), `SOFT_MAX ${CHOICE} ${NORM}`],
    [
      'normalised and scaled',
      () => ggml.scale(normalised(choose(ggml.softMax(logits())))),
      `SOFT_MAX ${CHOICE} ${NORM} SCALE`,
    ],
    ['scaled alone', () => ggml.scale(choose(ggml.softMax(logits()))), `SOFT_MAX ${CHOICE} SCALE`],
    ['an incomplete norm', () => normalised(choose(ggml.softMax(logits())), false), `SOFT_MAX ${CHOICE}`],
    ['another function', () => choose(ggml.unary(logits(), 'silu')), ''],
    ['a softplus without its root', () => choose(ggml.unary(logits(), 'softplus')), ''],
  ])('by %s, is one kernel as far as it has a part in it', (_how, result, ops) => {
    expect(kept(result())).toBe(ops);
  });

  test('by a sum with a bias, is one with it', () => {
    const probs = ggml.unary(logits(), 'sigmoid');
    expect(kept(choose(probs, ggml.add(probs, ggml.newInput(F32, 64))))).toBe(
      'UNARY RESHAPE ADD ARGSORT VIEW GET_ROWS',
    );
  });
});

describe("CUDA's kernel that weighs and sums what experts put out", () => {
  const sum = (used: number, scales = false): { readonly result: Tensor; readonly read: readonly Tensor[] } => {
    const [outputs, weights] = [ggml.newInput(F32, 32, used, TOKENS), ggml.newInput(F32, 1, used, TOKENS)];
    const scale = ggml.newInput(F32, 1, used, TOKENS);
    const weighted = ggml.mul(scales ? ggml.mul(outputs, scale) : outputs, weights);
    const views = Array.from({ length: used }, (_, i) =>
      ggml.view2d(weighted, 32, TOKENS, weighted.nb[2], i * weighted.nb[1]),
    );
    const [first, ...rest] = views as [Tensor, ...Tensor[]];
    return {
      result: rest.reduce((all, view) => ggml.add(all, view), first),
      read: scales ? [outputs, weights, scale] : [outputs, weights],
    };
  };
  const kept = (result: Tensor): readonly Tensor[] => {
    const graph = new Graph();
    graph.expand(result);
    const list: Tensor[] = [];
    keepFusedExperts(graph.nodes, (tensor, until) => list.push(tensor) && expect(until).toBe(result), undefined, false);
    return list;
  };

  test.each([2, 8, 15])('keeps outputs and weights of %d experts until their sum, and scales', (used) => {
    const [plain, scaled] = [sum(used), sum(used, true)];
    expect(kept(plain.result)).toEqual(plain.read);
    expect(kept(scaled.result)).toEqual(scaled.read);
  });

  test('is not there for more than 15', () => {
    expect(kept(sum(16).result)).toEqual([]);
  });
});
