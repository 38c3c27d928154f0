import { linearAttention } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { projected } from '../../projections.js';
import { layerStates, loadStates, type RecurrentInput } from '../../recurrent/recurrent.js';
import { groupNorm, outputAndStore } from './token-shift.js';

/** The first layer's values, which all later ones mix into their own. */
export interface FirstValues {
  values: Tensor | null;
}

/** `build_rwkv7_time_mix` (`src/models/rwkv7-base.cpp`, llama.cpp v0.5.0). */
export function timeMix7(
  g: GraphBuilder,
  input: RecurrentInput,
  current: Tensor,
  previous: Tensor,
  layer: number,
  first: FirstValues,
): Tensor {
  const size = g.hparams.wkvHeadSize;
  const heads = g.nEmbd / size;
  const weight = (name: string): Tensor => g.layerNeed(layer, `time_mix_${name}.weight`);
  const gated =
    g.layerWeight(layer, 'time_mix_g1.weight') !== null && g.layerWeight(layer, 'time_mix_g2.weight') !== null;
  const difference = ggml.repeat(ggml.sub(previous, current), [g.nEmbd, g.nSeqTokens, g.nSeqs, gated ? 6 : 5]);
  const mixes = ggml.add(ggml.mul(difference, weight('lerp_fused')), current);
  const mix = (index: number): Tensor =>
    ggml.view2d(mixes, g.nEmbd, g.nTokens, mixes.nb[1], index * g.nEmbd * g.nTokens * mixes.nb[0]);

  const r = projected(g, mix(0), layer, 'time_mix_receptance');
  const lowDecay = ggml.unary(ggml.mulMat(weight('w1'), mix(1)), 'tanh');
  let w = ggml.add(ggml.mulMat(weight('w2'), lowDecay), weight('w0'));
  w = ggml.unary(ggml.scale(ggml.unary(w, 'sigmoid')), 'exp');
  let k = projected(g, mix(2), layer, 'time_mix_key');
  const valueInput = mix(3);
  let v = projected(g, valueInput, layer, 'time_mix_value');
  if (first.values) {
    const residual = ggml.sub(first.values, v);
    const low = ggml.mulMat(weight('v2'), ggml.mulMat(weight('v1'), valueInput));
    v = ggml.add(v, ggml.mul(residual, ggml.unary(ggml.add(low, weight('v0')), 'sigmoid')));
  } else first.values = v;
  const gate = gated ? ggml.mulMat(weight('g2'), ggml.unary(ggml.mulMat(weight('g1'), mix(5)), 'sigmoid')) : null;
  const rate = ggml.mulMat(weight('a2'), ggml.mulMat(weight('a1'), mix(4)));
  const a = ggml.unary(ggml.add(rate, weight('a0')), 'sigmoid');
  const perHead = (cur: Tensor): Tensor => ggml.reshape(cur, size, heads, g.nTokens);
  const kk = ggml.l2Norm(perHead(ggml.mul(k, weight('k_k'))));
  const ka = ggml.mul(k, weight('k_a'));
  k = perHead(ggml.add(k, ggml.sub(ggml.mul(a, ka), ka)));
  v = perHead(v);
  const [receptance, wh, ah] = [perHead(r), perHead(w), perHead(a)];
  const state = loadStates(g, input, layerStates(g, input, layer).state);
  const attended = linearAttention('RWKV_WKV7', state, receptance, wh, k, v, ggml.unary(kk, 'neg'), ggml.mul(kk, ah));
  let cur = groupNorm(g, outputAndStore(g, input, layer, attended), layer, heads);
  const weighed = ggml.mul(ggml.mul(k, receptance), ggml.reshape(weight('r_k'), size, heads));
  cur = ggml.add(cur, ggml.reshape(ggml.mul(v, ggml.sumRows(weighed)), g.nEmbd, g.nTokens));
  if (gate) cur = ggml.mul(cur, gate);
  return ggml.reshape(projected(g, cur, layer, 'time_mix_output'), g.nEmbd, g.nSeqTokens, g.nSeqs);
}

/** `build_rwkv7_channel_mix`. */
export function channelMix7(g: GraphBuilder, cur: Tensor, previous: Tensor, layer: number): Tensor {
  const difference = ggml.sub(previous, cur);
  const forKey = ggml.add(ggml.mul(difference, g.layerNeed(layer, 'channel_mix_lerp_k.weight')), cur);
  const k = ggml.sqr(ggml.unary(projected(g, forKey, layer, 'channel_mix_key'), 'relu'));
  return projected(g, k, layer, 'channel_mix_value');
}
