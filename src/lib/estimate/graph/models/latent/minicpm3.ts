import * as ggml from '../../../ggml/ops.js';
import { attention } from '../../attention.js';
import type { GraphBuilder } from '../../builder.js';
import { decoder, ropeFactors } from '../../decoder.js';
import { latentQueries } from '../../latent.js';
import { feedForward } from '../../projections.js';

/** `src/models/minicpm3.cpp` (llama.cpp v0.5.0): keys and values of every head come from a latent and are cached. */
export function miniCpm3(g: GraphBuilder): void {
  const { nRot } = g.hparams;
  decoder(g, {
    inputs: () => ggml.scale(g.inputEmbeddings()),
    attention: (_, cur, layer, { positions, attention: input }) => {
      const { k: headK, v: headV, q: heads } = g.head(layer);
      const plainSize = headK - nRot;
      const factors = ropeFactors(g, layer);
      const q = ggml.reshape(latentQueries(g, cur, layer), headK, heads, g.nTokens);
      const both = g.mulMat(g.layerNeed(layer, 'attn_kv_a_mqa.weight'), cur);
      const rank = both.ne[0] - nRot;
      const compressed = ggml.view2d(both, rank, g.nTokens, both.nb[1], 0);
      const tail = ggml.view3d(both, [nRot, 1, g.nTokens], both.nb[1], both.nb[1], ggml.rowSize(both, rank));
      const normed = g.rmsNorm(compressed, layer, 'attn_kv_a_norm.weight');
      const kv = g.mulMat(g.layerNeed(layer, 'attn_kv_b.weight'), normed);
      const head = ggml.rowSize(kv, plainSize + headV);
      const part = (width: number, offset: number) =>
        ggml.view3d(kv, [width, heads, g.nTokens], head, head * heads, ggml.rowSize(kv, offset));
      const rotated = ggml.repeat(ggml.rope(tail, positions, factors), [nRot, heads, g.nTokens, 1]);
      return attention(g, input, layer, {
        q: ggml.rope(q, positions, factors),
        k: ggml.concat(part(plainSize, 0), rotated, 0),
        v: ggml.cont(part(headV, plainSize)),
      });
    },
    feedForward: (_, cur, layer) => feedForward(g, cur, layer, { activation: 'silu' }),
    branch: ggml.scale,
    finish: (_, cur) => {
      const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
      g.embeddings = normed;
      g.finish(g.mulMat(g.outputHead(), ggml.scale(normed), g.weight('output.scale')));
    },
  });
}
