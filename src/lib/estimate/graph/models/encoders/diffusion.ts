import type { GraphBuilder } from '../../builder.js';
import { decoder, rotaryAttention } from '../../decoder.js';
import { experts } from '../../experts.js';
import { feedForward } from '../../projections.js';

/** `src/models/dream.cpp` and `llada.cpp` (llama.cpp v0.5.0): a decoder that attends over the whole batch, without a cache. */
export function dream(g: GraphBuilder): void {
  decoder(g, {
    attention: rotaryAttention(),
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'silu' }),
  });
}

function withExperts(g: GraphBuilder, normalise: boolean): void {
  const scale = g.shape.keys.number('expert_weights_scale', 0);
  decoder(g, {
    attention: rotaryAttention({ headNorms: true }),
    feedForward: (_, cur, layer) => experts(g, cur, layer, { activation: 'silu', gating: 'softmax', normalise, scale }),
  });
}

/** `src/models/llada-moe.cpp` (llama.cpp v0.5.0). */
export function lladaMoe(g: GraphBuilder): void {
  withExperts(g, false);
}

/** `src/models/rnd1.cpp` (llama.cpp v0.5.0). */
export function rnd1(g: GraphBuilder): void {
  withExperts(g, true);
}
