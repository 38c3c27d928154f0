import { graphError } from '../../../ggml/graph-error.js';
import { linearAttention } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { projected } from '../../projections.js';
import { layerStates, loadStates, type RecurrentInput } from '../../recurrent/recurrent.js';
import { groupNorm, outputAndStore } from './token-shift.js';

/** Mixtures of a token and its predecessor. */
const MIXES = 5;

/** Inputs of decay, key, value, receptance and gate. */
type Mixes = [Tensor, Tensor, Tensor, Tensor, Tensor];

/** `build_rwkv6_time_mix` (`src/models/rwkv6-base.cpp`, llama.cpp v0.5.0); `previous`: [width, tokens, sequences]. */
export function timeMix6(
  g: GraphBuilder,
  input: RecurrentInput,
  current: Tensor,
  previous: Tensor,
  layer: number,
): Tensor {
  const size = g.hparams.wkvHeadSize;
  const heads = g.nEmbd / size;
  const first = g.layerWeight(layer, 'time_mix_first.weight');
  const [xw, xk, xv, xr, xg] = mixed(g, current, previous, layer);
  const r = projected(g, xr, layer, 'time_mix_receptance');
  let k = projected(g, xk, layer, 'time_mix_key');
  let v = projected(g, xv, layer, 'time_mix_value');
  const gate = ggml.unary(projected(g, xg, layer, 'time_mix_gate'), first ? 'silu' : 'sigmoid');
  const kvHeads = g.hparams.nHeadKv[layer] ?? 0;
  if (kvHeads !== 0 && kvHeads !== heads) {
    if (heads % kvHeads !== 0) throw graphError(`${heads} heads for ${kvHeads} of keys`);
    const repeated = (cur: Tensor): Tensor =>
      ggml.repeat(ggml.reshape(cur, size, 1, kvHeads, g.nTokens), [size, heads / kvHeads, kvHeads, g.nTokens]);
    k = repeated(k);
    v = repeated(v);
  }
  const perHead = (cur: Tensor): Tensor => ggml.reshape(cur, size, heads, g.nTokens);
  k = perHead(k);
  v = perHead(v);
  const receptance = perHead(r);
  const w = perHead(decay(g, xw, layer));
  if (!first) k = ggml.sub(k, ggml.mul(k, w));
  const state = loadStates(g, input, layerStates(g, input, layer).state);
  const attended = first
    ? linearAttention('RWKV_WKV6', state, k, v, receptance, first, w)
    : linearAttention('GATED_LINEAR_ATTN', state, k, v, receptance, w);
  const output = outputAndStore(g, input, layer, attended);
  const normed = first ? groupNorm(g, output, layer, heads) : ggml.reshape(output, g.nEmbd, g.nTokens);
  const out = projected(g, ggml.mul(normed, gate), layer, 'time_mix_output');
  return ggml.reshape(out, g.nEmbd, g.nSeqTokens, g.nSeqs);
}

function mixed(g: GraphBuilder, current: Tensor, previous: Tensor, layer: number): Mixes {
  const weight = (name: string): Tensor => g.layerNeed(layer, `time_mix_${name}.weight`);
  const [low, up] = [weight('w1'), weight('w2')];
  const difference = ggml.reshape(ggml.sub(previous, current), g.nEmbd, g.nTokens);
  const cur = ggml.reshape(current, g.nEmbd, g.nTokens);
  const start = ggml.add(ggml.mul(difference, weight('lerp_x')), cur);
  const squeezed = ggml.unary(ggml.mulMat(low, start), 'tanh');
  const byMix = ggml.cont(ggml.permute(ggml.reshape(squeezed, low.ne[1] / MIXES, 1, MIXES, g.nTokens), 0, 1, 3, 2));
  const mixes = ggml.mulMat(ggml.reshape(up, up.ne[0], up.ne[1], 1, MIXES), byMix);
  const fused = g.layerWeight(layer, 'time_mix_lerp_fused.weight');
  const parts = (all: Tensor): Mixes =>
    Array.from({ length: MIXES }, (_, i) =>
      ggml.view2d(all, g.nEmbd, g.nTokens, all.nb[1], i * g.nEmbd * g.nTokens * all.nb[0]),
    ) as Mixes;
  if (fused) {
    const row = (tensor: Tensor): Tensor => ggml.reshape(tensor, g.nEmbd, 1, g.nTokens);
    const [apart, own] = [row(difference), row(cur)];
    return parts(ggml.add(ggml.mul(ggml.add(mixes, fused), apart), own));
  }
  const lerps = ['w', 'k', 'v', 'r', 'g'];
  return parts(mixes).map((part, i) =>
    ggml.add(ggml.mul(ggml.add(part, weight(`lerp_${lerps[i] ?? ''}`)), difference), cur),
  ) as Mixes;
}

function decay(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const weight = (name: string): Tensor => g.layerNeed(layer, `time_mix_decay${name}.weight`);
  const low = ggml.unary(ggml.mulMat(weight('_w1'), cur), 'tanh');
  const w = ggml.add(ggml.mulMat(weight('_w2'), low), weight(''));
  return ggml.unary(ggml.unary(ggml.unary(w, 'exp'), 'neg'), 'exp');
}

/** `build_rwkv6_channel_mix`. */
export function channelMix6(g: GraphBuilder, cur: Tensor, previous: Tensor, layer: number): Tensor {
  const difference = ggml.sub(previous, cur);
  const lerp = (name: string): Tensor =>
    ggml.add(ggml.mul(difference, g.layerNeed(layer, `channel_mix_lerp_${name}.weight`)), cur);
  const forKey = lerp('k');
  const forReceptance = lerp('r');
  const r = ggml.unary(projected(g, forReceptance, layer, 'channel_mix_receptance'), 'sigmoid');
  const k = ggml.sqr(ggml.unary(projected(g, forKey, layer, 'channel_mix_key'), 'relu'));
  return ggml.mul(r, projected(g, k, layer, 'channel_mix_value'));
}
