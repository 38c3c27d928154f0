import * as ggml from '../../../../ggml/ops/ops.js';
import type { Tensor } from '../../../../ggml/tensor.js';
import type { GraphBuilder } from '../../../builder.js';
import { experts, gatingOf, weightsByHeader } from '../../../experts/experts.js';
import { type Activation, feedForward } from '../../../projections.js';
import { limited, sharedExperts } from '../../../experts/shared-experts.js';
import type { ExpertsSpec, FeedForwardSpec, LayerInput } from '../spec.js';

/** Dense, or experts where the layer has a router. */
export function feed(
  g: GraphBuilder,
  { activation = 'silu', experts: routing, subNorm }: FeedForwardSpec,
  cur: Tensor,
  layer: number,
  input: LayerInput,
): Tensor {
  if (routing && g.layerWeight(layer, 'ffn_gate_inp.weight')) return routedAndShared(g, routing, cur, layer, input);
  if (subNorm) return withSubNorm(g, cur, layer, activation, subNorm);
  return feedForward(g, cur, layer, { activation, clamped: sharedClamp(g, routing, layer) });
}

function withSubNorm(g: GraphBuilder, cur: Tensor, layer: number, activation: Activation, name: string): Tensor {
  const hidden = feedForward(g, cur, layer, { activation, withoutDown: true });
  const normed = g.rmsNorm(hidden, layer, `${name}.weight`);
  return g.mulMat(g.layerNeed(layer, 'ffn_down.weight'), normed, g.layerWeight(layer, 'ffn_down.scale'));
}

/** Routed experts, then those that every token uses, summed. */
function routedAndShared(
  g: GraphBuilder,
  spec: ExpertsSpec,
  cur: Tensor,
  layer: number,
  { input, pick }: LayerInput,
): Tensor {
  const byHeader = weightsByHeader(g);
  const { activation = 'silu', gating = 'softmax', normalise = true } = spec;
  const options = {
    activation,
    gating: spec.gatingFromHeader ? gatingOf(g, gating) : gating,
    normalise: normalise === 'header' ? byHeader.normalise : normalise,
    scale: spec.scaled ? byHeader.scale : 0,
    ...(spec.routesByInput ? { logits: pick(router(g, input, layer), layer) } : {}),
    ...(spec.clamped && limited(g, 'swiglu_clamp_exp', layer) ? { clamped: spec.clamped } : {}),
    ...(spec.chooseBySigmoid ? { chooseBySigmoid: true } : {}),
  };
  if (spec.adjugate) return withAdjugates(g, cur, layer, { ...options, logits: router(g, cur, layer) });
  const routed = experts(g, cur, layer, options);
  let shared = sharedExperts(g, cur, layer, activation, sharedClamp(g, spec, layer));
  if (!shared) return routed;
  if (spec.sharedGate) shared = ggml.mul(shared, siluRatio(g, cur, layer));
  const sum = ggml.add(routed, shared);
  return spec.halved ? ggml.scale(sum) : sum;
}

function router(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  return g.mulMat(g.layerNeed(layer, 'ffn_gate_inp.weight'), cur);
}

/** `src/models/grovemoe.cpp` (llama.cpp v0.5.0): smaller experts, one for each group, read the routed ones' result. */
function withAdjugates(g: GraphBuilder, cur: Tensor, layer: number, options: Parameters<typeof experts>[3]): Tensor {
  const routed = experts(g, cur, layer, options);
  const adjugate = g.shape.keys.required('experts_per_group');
  return ggml.add(routed, ggml.scale(experts(g, routed, layer, { ...options, adjugate })));
}

/** silu(x) / x, which is sigmoid(x): how Qwen 2 MoE weighs its shared expert. */
function siluRatio(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const gate = g.mulMat(g.layerNeed(layer, 'ffn_gate_inp_shexp.weight'), cur);
  return ggml.div(ggml.unary(gate, 'silu'), gate);
}

function sharedClamp(g: GraphBuilder, spec: ExpertsSpec | undefined, layer: number): boolean {
  return spec?.clamped === 'apart' && limited(g, 'swiglu_clamp_shexp', layer);
}
