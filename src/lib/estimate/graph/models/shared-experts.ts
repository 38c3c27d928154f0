import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import type { GraphBuilder } from '../builder.js';
import type { DecoderInputs } from '../attention/attention-input.js';
import { ropeFactors } from './decoders/parts/attention-part.js';
import { experts, type Experts } from '../experts.js';
import { limited } from './decoders/parts/feed-forward-part.js';
import { feedForward, projectQkv } from '../projections.js';
import { decoderGraph } from './decoders/build.js';

const SILU = { activation: 'silu' } as const;

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
    normalise: g.shape.keys.boolean('expert_weights_norm', false),
    scale: g.shape.keys.real('expert_weights_scale', 0),
    ...routing,
  });
  if (!g.layerWeight(layer, 'ffn_up_shexp.weight')) return routed;
  const shared = feedForward(g, cur, layer, {
    activation: routing.activation ?? 'silu',
    suffix: '_shexp',
    ...(sharedClamped ? { clamped: sharedClamped } : {}),
  });
  return ggml.add(routed, shared);
}

/** Full layers of Llama 4 are not rotated; their queries are scaled by position: `n_no_rope_layer_step`. */
const NO_ROPE_STEP = 4;
/** Maverick does without the norms of Q and K. */
const MAVERICK_EXPERTS = 128;

/** `src/models/llama4.cpp` (llama.cpp v0.5.0). */
export const llama4 = decoderGraph((g) => {
  const { hparams } = g;
  const step = hparams.swa === 'none' ? hparams.nLayer : NO_ROPE_STEP;
  const scales = g.inputQueryScales();
  const attend = (_: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs): Tensor => {
    const rotates = (layer + 1) % step !== 0;
    const factors = ropeFactors(g, layer);
    const heads = projectQkv(g, cur, layer);
    if (!rotates) return attention(g, inputs.attention, layer, { ...heads, q: ggml.mul(heads.q, scales) });
    const prepare = (head: Tensor): Tensor => {
      const rotated = ggml.rope(head, inputs.positions, factors);
      return hparams.nExpert === MAVERICK_EXPERTS ? rotated : ggml.rmsNorm(rotated);
    };
    return attention(g, inputs.attention, layer, { q: prepare(heads.q), k: prepare(heads.k), v: heads.v });
  };
  return {
    attention: attend,
    feedForward: (_, cur, layer) =>
      g.layerWeight(layer, 'ffn_gate_inp.weight')
        ? withSharedExperts(g, cur, layer, { gating: 'sigmoid', normalise: false, weighInput: true })
        : feedForward(g, cur, layer, SILU),
  };
});
