import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { experts, type Experts, weightsByHeader } from './experts.js';
import { type Activation, feedForward } from '../projections.js';

/** Limits below this count as none. */
const LEAST_LIMIT = 1e-6;

/** Whether a layer's gated activations have limits by this key. */
export function limited(g: GraphBuilder, key: string, layer: number): boolean {
  return (g.shape.keys.realPerLayer(key, g.hparams.nLayerAll, 0)[layer] ?? 0) > LEAST_LIMIT;
}

/** What limits a layer's gated activations have, routed and shared: `swiglu_clamp_exp`, `swiglu_clamp_shexp`. */
export function clampsOf(
  g: GraphBuilder,
  layer: number,
): { readonly clamped?: 'apart'; readonly sharedClamped: boolean } {
  const sharedClamped = limited(g, 'swiglu_clamp_shexp', layer);
  return limited(g, 'swiglu_clamp_exp', layer) ? { clamped: 'apart', sharedClamped } : { sharedClamped };
}

/** Routed experts, then those that every token uses, summed. */
export function withSharedExperts(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  { sharedClamped, ...routing }: Partial<Experts> & { readonly sharedClamped?: boolean | 'fused' },
): Tensor {
  const routed = experts(g, cur, layer, {
    activation: 'silu',
    gating: 'softmax',
    ...weightsByHeader(g),
    ...routing,
  });
  const shared = sharedExperts(g, cur, layer, routing.activation ?? 'silu', sharedClamped);
  return shared ? ggml.add(routed, shared) : routed;
}

/** Graphs that run shared experts in any case: without their weights what goes in comes out, activated. */
const ALWAYS_SHARED: ReadonlySet<string> = new Set(['glm4moe', 'hy_v3', 'kimi-linear', 'step35']);

/** The experts that every token uses, where the layer has any; without a gate of their own they hold it beside up. */
export function sharedExperts(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  activation: Activation,
  clamped: boolean | 'fused' = false,
): Tensor | undefined {
  const always = ALWAYS_SHARED.has(g.shape.architecture);
  if (!always && !g.layerWeight(layer, 'ffn_up_shexp.weight')) return undefined;
  const fused = !always && activation === 'silu' && !g.layerWeight(layer, 'ffn_gate_shexp.weight');
  return feedForward(g, cur, layer, { activation: fused ? 'swiglu' : activation, suffix: '_shexp', clamped });
}
