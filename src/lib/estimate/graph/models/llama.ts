import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { experts } from '../experts.js';
import { feedForward } from '../projections.js';

const dense = (g: GraphBuilder, cur: Tensor, layer: number): Tensor =>
  feedForward(g, cur, layer, { activation: 'silu' });

function softmaxExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  return experts(g, cur, layer, {
    activation: 'silu',
    gating: 'softmax',
    normalise: true,
    scale: g.shape.keys.number('expert_weights_scale', 0),
  });
}

export function denseOrExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  return g.layerWeight(layer, 'ffn_gate_inp.weight') ? softmaxExperts(g, cur, layer) : dense(g, cur, layer);
}
