import { result } from './ops.js';
import { requireEnough, requireNumbers } from './operands.js';
import { F32, I32, type Tensor } from '../tensor.js';

/*
 * What sparse and linear attention need beside ops.ts: `ggml/src/ggml.c` (llama.cpp v0.5.0), shapes and sources only.
 */

/** `ggml_rwkv_wkv6`, `ggml_rwkv_wkv7`, `ggml_gated_linear_attn`: the output of each token, then the new states. */
export function linearAttention(
  op: 'RWKV_WKV6' | 'RWKV_WKV7' | 'GATED_LINEAR_ATTN',
  state: Tensor,
  ...inputs: [Tensor, ...Tensor[]]
): Tensor {
  const [size, heads, tokens] = inputs[0].ne;
  const rows = tokens + size * state.ne[1];
  return result(op, F32, [size * heads, rows, 1, 1], ...inputs, state);
}

/** Scores of each cell for each token: [cells, tokens, 1, streams]. */
export function lightningIndexer(q: Tensor, k: Tensor, weights: Tensor, mask: Tensor): Tensor {
  return result('LIGHTNING_INDEXER', F32, [k.ne[2], q.ne[2], 1, q.ne[3]], q, k, weights, mask);
}

export function topK(a: Tensor, k: number): Tensor {
  requireEnough('top_k', a, k);
  return result('TOP_K', I32, [k, a.ne[1], a.ne[2], a.ne[3]], a);
}

/** `ggml_top_k_mask` (b12032): the mask, open only at the best cells; or at those of the best blocks, by their scores, and others. */
export function topKMask(mask: Tensor, best: Tensor, ...blocks: readonly Tensor[]): Tensor {
  return result('TOP_K_MASK', mask.type, [mask.ne[0], best.ne[1], best.ne[2], best.ne[3]], mask, best, ...blocks);
}

/** `ggml_dsv4_hc_pre`: residual streams, [width, streams, tokens], summed with their weights. */
export function streamSum(all: Tensor, weights: Tensor): Tensor {
  requireNumbers('dsv4_hc_pre', all, weights);
  return result('DSV4_HC_PRE', F32, [all.ne[0], all.ne[2], 1, 1], all, weights);
}

/** `ggml_dsv4_hc_comb`: how much of each stream goes to each, [streams, streams, tokens]. */
export function streamMixes(mixes: Tensor, scale: Tensor, base: Tensor, streams: number): Tensor {
  requireNumbers('dsv4_hc_comb', mixes, scale, base);
  return result('DSV4_HC_COMB', F32, [streams, streams, mixes.ne[1], 1], mixes, scale, base);
}

/** `ggml_dsv4_hc_post`: a branch's output onto the streams, which may be mixed. */
export function spreadOver(cur: Tensor, residual: Tensor, post: Tensor, mixes: Tensor | null): Tensor {
  requireNumbers('dsv4_hc_post', cur, residual, post, mixes);
  return result('DSV4_HC_POST', F32, [cur.ne[0], residual.ne[1], cur.ne[1], 1], cur, residual, post, mixes);
}

export function cumulativeSum(a: Tensor): Tensor {
  return result('CUMSUM', a.type, a.ne, a);
}

export function arange(steps: number): Tensor {
  return result('ARANGE', F32, [steps, 1, 1, 1]);
}
