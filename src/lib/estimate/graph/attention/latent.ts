import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { Qkv } from './kv-store.js';
import type { GraphBuilder } from '../builder.js';

/**
 * Multi-head latent attention in the new layout, as `src/models/deepseek2.cpp` (llama.cpp v0.5.0) and its relatives have it:
 * queries are brought into the latent space, where all heads share one K; V is its first part. `positions` is null where
 * nothing is rotated; `size` is that of a head's queries, `keyNorm` a norm of the rotated part of K.
 */
export function latentHeads(
  g: GraphBuilder,
  cur: Tensor,
  q: Tensor,
  layer: number,
  positions: Tensor | null,
  { size = g.hparams.headKMla, keyNorm }: { readonly size?: number; readonly keyNorm?: string } = {},
): Qkv {
  const { nRot } = g.hparams;
  const heads = g.head(layer).q;
  const rotate = (tensor: Tensor): Tensor => (positions ? ggml.rope(tensor, positions) : tensor);
  const row = ggml.rowSize(q, size);
  const part = (width: number, offset: number): Tensor =>
    ggml.view3d(q, [width, heads, g.nTokens], row, row * heads, ggml.rowSize(q, offset));
  const plain = part(size - nRot, 0);
  const rotatedQ = rotate(part(nRot, size - nRot));
  const absorbed = ggml.permute(
    ggml.mulMat(g.layerNeed(layer, 'attn_k_b.weight'), ggml.permute(plain, 0, 2, 1, 3)),
    0,
    2,
    1,
    3,
  );
  const both = g.mulMat(g.layerNeed(layer, 'attn_kv_a_mqa.weight'), cur);
  const rank = both.ne[0] - nRot;
  const compressed = ggml.view2d(both, rank, g.nTokens, both.nb[1], 0);
  const tail = ggml.view3d(both, [nRot, 1, g.nTokens], both.nb[1], both.nb[1], ggml.rowSize(both, rank));
  const v = ggml.reshape(g.rmsNorm(compressed, layer, 'attn_kv_a_norm.weight'), rank, 1, g.nTokens);
  const key = keyNorm ? g.rmsNorm(tail, layer, keyNorm) : tail;
  return { q: ggml.concat(absorbed, rotatedQ, 0), k: ggml.concat(v, rotate(key), 0), v };
}

/** Queries of all heads in one row, through a low rank where the model has one. */
export function latentQueries(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const low = g.layerWeight(layer, 'attn_q_a.weight');
  if (!low) return g.mulMat(g.layerNeed(layer, 'attn_q.weight'), cur);
  const normed = g.rmsNorm(g.mulMat(low, cur), layer, 'attn_q_a_norm.weight');
  return g.mulMat(g.layerNeed(layer, 'attn_q_b.weight'), normed);
}
