import * as ggml from '../../../ggml/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { experts, gatingOf } from '../../experts.js';
import { type Activation, feedForward } from '../../projections.js';
import type { ExpertsSpec, FeedForwardSpec } from './spec.js';

/** Dense, or experts where the layer has a router. */
export function feed(
  g: GraphBuilder,
  { activation = 'silu', experts: routing, subNorm }: FeedForwardSpec,
  cur: Tensor,
  layer: number,
): Tensor {
  if (routing && g.layerWeight(layer, 'ffn_gate_inp.weight')) return routedAndShared(g, routing, cur, layer);
  if (subNorm) return withSubNorm(g, cur, layer, activation, subNorm);
  return feedForward(g, cur, layer, { activation });
}

function withSubNorm(g: GraphBuilder, cur: Tensor, layer: number, activation: Activation, name: string): Tensor {
  const hidden = feedForward(g, cur, layer, { activation, withoutDown: true });
  const normed = g.rmsNorm(hidden, layer, `${name}.weight`);
  return g.mulMat(g.layerNeed(layer, 'ffn_down.weight'), normed, g.layerWeight(layer, 'ffn_down.scale'));
}

/** Routed experts, then those that every token uses, summed. */
function routedAndShared(g: GraphBuilder, spec: ExpertsSpec, cur: Tensor, layer: number): Tensor {
  const { keys } = g.shape;
  const { activation = 'silu', gating = 'softmax', normalise = true } = spec;
  const routed = experts(g, cur, layer, {
    activation,
    gating: spec.gatingFromHeader ? gatingOf(g, gating) : gating,
    normalise: normalise === 'header' ? keys.boolean('expert_weights_norm', false) : normalise,
    scale: spec.scaled ? keys.number('expert_weights_scale', 0) : 0,
  });
  if (!g.layerWeight(layer, 'ffn_up_shexp.weight')) return routed;
  const fused = !g.layerWeight(layer, 'ffn_gate_shexp.weight') && activation === 'silu';
  let shared = feedForward(g, cur, layer, { activation: fused ? 'swiglu' : activation, suffix: '_shexp' });
  if (spec.sharedGate) shared = ggml.mul(shared, siluRatio(g, cur, layer));
  const sum = ggml.add(routed, shared);
  return spec.halved ? ggml.scale(sum) : sum;
}

/** silu(x) / x, which is sigmoid(x): how Qwen 2 MoE weighs its shared expert. */
function siluRatio(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const gate = g.mulMat(g.layerNeed(layer, 'ffn_gate_inp_shexp.weight'), cur);
  return ggml.div(ggml.unary(gate, 'silu'), gate);
}
