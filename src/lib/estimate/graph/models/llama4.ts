import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import type { DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { feedForward, projectQkv } from '../projections.js';
import { withSharedExperts } from '../experts/shared-experts.js';
import { decoderGraph } from './decoders/build.js';
import { ropeFactors } from './decoders/parts/attention-part.js';

const SILU = { activation: 'silu' } as const;

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
