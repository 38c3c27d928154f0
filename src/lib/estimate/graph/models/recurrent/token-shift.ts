import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { layerStates, loadStates, type RecurrentInput } from '../../recurrent/recurrent.js';

/** `build_rwkv_token_shift_load` (`src/llama-graph.cpp`, llama.cpp v0.5.0): [width, shifts, sequences]. */
export function loadShifts(g: GraphBuilder, input: RecurrentInput, layer: number): Tensor {
  const loaded = loadStates(g, input, layerStates(g, input, layer).conv);
  return ggml.reshape(loaded, g.nEmbd, g.hparams.tokenShifts, g.nSeqs);
}

/** `build_rwkv_token_shift_store`. */
export function storeShifts(g: GraphBuilder, input: RecurrentInput, layer: number, shifts: Tensor): void {
  const cache = layerStates(g, input, layer).conv;
  const count = g.nEmbd * g.nSeqs * g.hparams.tokenShifts;
  g.expand(ggml.cpy(ggml.view1d(shifts, count, 0), ggml.view1d(cache, count, 0)));
}

/** One of the kept inputs of a layer: [width, 1, sequences]. */
export function shift(g: GraphBuilder, shifts: Tensor, index: number): Tensor {
  return ggml.view3d(shifts, [g.nEmbd, 1, g.nSeqs], shifts.nb[1], shifts.nb[2], index * g.nEmbd * shifts.nb[0]);
}

/** Each token's predecessor: what was kept, then all tokens but the last. */
export function previous(g: GraphBuilder, kept: Tensor, cur: Tensor): Tensor {
  const others = ggml.view3d(cur, [g.nEmbd, g.nSeqTokens - 1, g.nSeqs], cur.nb[1], cur.nb[2], 0);
  return ggml.concat(kept, others, 1);
}

/** The last token of each sequence. */
export function lastToken(g: GraphBuilder, cur: Tensor): Tensor {
  const offset = (g.nSeqTokens - 1) * g.nEmbd * cur.nb[0];
  return ggml.view3d(cur, [g.nEmbd, 1, g.nSeqs], cur.nb[1], cur.nb[2], offset);
}

/** The state that an attention of constant size leaves behind its output goes back to the cache; the output is returned. */
export function outputAndStore(g: GraphBuilder, input: RecurrentInput, layer: number, result: Tensor): Tensor {
  const cache = layerStates(g, input, layer).state;
  const output = ggml.view1d(result, g.nEmbd * g.nTokens, 0);
  const count = g.nEmbd * g.hparams.wkvHeadSize * g.nSeqs;
  const state = ggml.view1d(result, count, g.nEmbd * g.nTokens * result.nb[0]);
  g.expand(ggml.cpy(state, ggml.view1d(cache, count, 0)));
  return output;
}

/** A norm over each head's part, then weights over the whole row. */
export function groupNorm(g: GraphBuilder, cur: Tensor, layer: number, heads: number): Tensor {
  const flat = (tensor: Tensor): Tensor => ggml.reshape(tensor, g.nEmbd, g.nTokens);
  const weight = g.layerWeight(layer, 'time_mix_ln.weight');
  const bias = g.layerWeight(layer, 'time_mix_ln.bias');
  if (!weight || !bias) return flat(cur);
  const normed = flat(ggml.norm(ggml.reshape(cur, g.nEmbd / heads, heads, g.nTokens)));
  return ggml.add(ggml.mul(normed, weight), bias);
}
