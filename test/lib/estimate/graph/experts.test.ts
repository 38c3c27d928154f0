import { expect, test } from '@jest/globals';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { F32, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';
import type { GraphBuilder } from '../../../../src/lib/estimate/graph/builder.js';
import { experts } from '../../../../src/lib/estimate/graph/experts/experts.js';

const WIDTH = 64;
const TOKENS = 5;

/** A layer of DeepSeek-V3's kind: 256 experts in 8 groups, of which 4 may be used, and 8 experts for each token. */
function layerOfGroups(): readonly Tensor[] {
  const hparams = { nExpert: 256, nExpertGroups: 8, nGroupUsed: 4, nExpertUsed: [8], nHead: [1], nHeadKv: [1] };
  const weights: Readonly<Record<string, Tensor>> = {
    'ffn_gate_inp.weight': ggml.newTensor(F32, WIDTH, 256),
    'exp_probs_b.bias': ggml.newTensor(F32, 256),
    'ffn_gate_exps.weight': ggml.newTensor(F32, WIDTH, 32, 256),
    'ffn_up_exps.weight': ggml.newTensor(F32, WIDTH, 32, 256),
    'ffn_down_exps.weight': ggml.newTensor(F32, 32, WIDTH, 256),
  };
  const builder = {
    hparams,
    shape: { architecture: 'deepseek2', hparams },
    params: { llama: { scaledExperts: false } },
    memory: {},
    layerWeight: (_: number, name: string) => weights[name] ?? null,
    layerNeed: (_: number, name: string) => weights[name],
    mulMat: ggml.mulMat,
    addBias: (tensor: Tensor) => tensor,
    expand: (tensor: Tensor) => tensor,
  } as unknown as GraphBuilder;
  const options = { activation: 'silu', gating: 'sigmoid', normalise: true, scale: 2.5 } as const;
  return sourcesFirst(experts(builder, ggml.newInput(F32, WIDTH, TOKENS), 0, options));
}

function sourcesFirst(result: Tensor, found = new Set<Tensor>()): readonly Tensor[] {
  for (const source of result.src) if (source && !found.has(source)) sourcesFirst(source, found);
  return [...found.add(result)];
}

test('a group of experts is judged by the sum of its two best, and all experts of the four best groups can be chosen', () => {
  const nodes = layerOfGroups();
  const shapes = (op: Tensor['op']) => nodes.filter((node) => node.op === op).map(({ ne }) => ne.join(' × '));
  // As the comments of `build_moe_ffn` have them: [1, 2, n_expert_groups, n_tokens], then [n_exp_per_group, n_group_used, n_tokens], and
  // last the weights of the eight that are chosen.
  expect(shapes('GET_ROWS')).toEqual(['1 × 2 × 8 × 5', '32 × 4 × 5 × 1', '1 × 8 × 5 × 1']);
  expect(shapes('SUM_ROWS')).toContain('1 × 8 × 5 × 1');
  expect(shapes('SET_ROWS')).toEqual(['32 × 8 × 5 × 1']);
});
