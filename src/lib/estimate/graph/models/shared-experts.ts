import * as ggml from '../../ggml/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention.js';
import type { GraphBuilder } from '../builder.js';
import { decoder, type DecoderInputs, ropeFactors } from '../decoder.js';
import { experts, type Experts } from '../experts.js';
import { feedForward, projectQkv } from '../projections.js';

const SILU = { activation: 'silu' } as const;

/** Routed experts, then those that every token uses, summed. */
export function withSharedExperts(g: GraphBuilder, cur: Tensor, layer: number, routing: Partial<Experts>): Tensor {
  const routed = experts(g, cur, layer, {
    activation: 'silu',
    gating: 'softmax',
    normalise: g.shape.keys.boolean('expert_weights_norm', false),
    scale: g.shape.keys.number('expert_weights_scale', 0),
    ...routing,
  });
  if (!g.layerWeight(layer, 'ffn_up_shexp.weight')) return routed;
  return ggml.add(routed, feedForward(g, cur, layer, { ...SILU, suffix: '_shexp' }));
}

/** Full layers of Llama 4 are not rotated; their queries are scaled by position: `n_no_rope_layer_step`. */
const NO_ROPE_STEP = 4;
/** Maverick does without the norms of Q and K. */
const MAVERICK_EXPERTS = 128;

/** `src/models/llama4.cpp` (llama.cpp v0.5.0). */
export function llama4(g: GraphBuilder): void {
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
  decoder(g, {
    attention: attend,
    feedForward: (_, cur, layer) =>
      g.layerWeight(layer, 'ffn_gate_inp.weight')
        ? withSharedExperts(g, cur, layer, { gating: 'sigmoid', normalise: false, weighInput: true })
        : feedForward(g, cur, layer, SILU),
  });
}
