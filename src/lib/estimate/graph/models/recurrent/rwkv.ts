import * as ggml from '../../../ggml/ops/ops.js';
import type { ModelShape } from '../../../../model/model-shape.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { feedForward } from '../../projections.js';
import { recurrentInput, type RecurrentInput } from '../../recurrent/recurrent.js';
import { channelMix6, timeMix6 } from './rwkv6.js';
import { channelMix7, type FirstValues, timeMix7 } from './rwkv7.js';
import { lastToken, loadShifts, previous, shift, storeShifts } from './token-shift.js';

type TimeMix = (g: GraphBuilder, input: RecurrentInput, cur: Tensor, previous: Tensor, layer: number) => Tensor;

interface Rwkv {
  readonly timeMix: TimeMix;
  readonly channelMix: (g: GraphBuilder, cur: Tensor, previous: Tensor, layer: number) => Tensor;
  readonly rescales?: (layer: number) => boolean;
}

/** `src/models/rwkv6.cpp` and `rwkv7.cpp` (llama.cpp v0.5.0): two kept inputs a layer, channel mixing. */
function rwkv(g: GraphBuilder, { timeMix, channelMix, rescales }: Rwkv): void {
  const norm = (cur: Tensor, layer: number, name: string): Tensor =>
    g.norm(cur, g.layerNeed(layer, `${name}.weight`), g.layerWeight(layer, `${name}.bias`), 'layer', layer);
  const embeddings = g.inputEmbeddings();
  let layerInput = g.norm(embeddings, g.need('token_embd_norm.weight'), g.weight('token_embd_norm.bias'), 'layer', 0);
  const input = recurrentInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    layerInput = ggml.reshape(layerInput, g.nEmbd, g.nSeqTokens, g.nSeqs);
    const shifts = loadShifts(g, input, layer);
    const normed = norm(layerInput, layer, 'attn_norm');
    const mixed = timeMix(g, input, normed, previous(g, shift(g, shifts, 0), normed), layer);
    let middle = ggml.add(mixed, layerInput);
    let forChannels = norm(middle, layer, 'attn_norm_2');
    let before = previous(g, shift(g, shifts, 1), forChannels);
    storeShifts(g, input, layer, ggml.concat(lastToken(g, normed), lastToken(g, forChannels), 1));
    [middle, forChannels, before] = [middle, forChannels, before].map((cur) => {
      const rows = ggml.reshape(cur, g.nEmbd, g.nTokens);
      return g.isLast(layer) ? g.pickOutputs(rows, outIds) : rows;
    }) as [Tensor, Tensor, Tensor];
    layerInput = ggml.add(channelMix(g, forChannels, before, layer), middle);
    if (rescales?.(layer)) layerInput = ggml.scale(layerInput);
  }
  g.finishWithHead(layerInput, 'layer');
}

export function rwkv6(g: GraphBuilder): void {
  rwkv(g, { timeMix: timeMix6, channelMix: channelMix6, rescales: (layer) => isRescaled(layer, g.shape) });
}

/** Every so many layers the residual is halved. */
export function isRescaled(layer: number, { keys }: ModelShape): boolean {
  const every = keys.number('rescale_every_n_layers', 0);
  return every !== 0 && (layer + 1) % every === 0;
}

export function rwkv7(g: GraphBuilder): void {
  rwkv(g, { timeMix: withFirstValues(), channelMix: channelMix7 });
}

function withFirstValues(): TimeMix {
  const first: FirstValues = { values: null };
  return (g, input, cur, before, layer) => timeMix7(g, input, cur, before, layer, first);
}

/** `src/models/rwkv6qwen2.cpp` and `arwkv7.cpp` (llama.cpp v0.5.0): one kept input a layer, an ordinary feed-forward. */
function qwenLike(g: GraphBuilder, timeMix: TimeMix): void {
  let layerInput = g.inputEmbeddings();
  const input = recurrentInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    layerInput = ggml.reshape(layerInput, g.nEmbd, g.nSeqTokens, g.nSeqs);
    const shifts = loadShifts(g, input, layer);
    const normed = g.norm(
      layerInput,
      g.layerNeed(layer, 'attn_norm.weight'),
      g.layerWeight(layer, 'attn_norm.bias'),
      'rms',
      layer,
    );
    const mixed = timeMix(g, input, normed, previous(g, shifts, normed), layer);
    storeShifts(g, input, layer, lastToken(g, normed));
    let middle = ggml.reshape(ggml.add(mixed, layerInput), g.nEmbd, g.nTokens);
    if (g.isLast(layer)) middle = g.pickOutputs(middle, outIds);
    const cur = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    layerInput = ggml.add(feedForward(g, cur, layer, { activation: 'silu' }), middle);
  }
  g.finishWithHead(layerInput);
}

export function rwkv6qwen2(g: GraphBuilder): void {
  qwenLike(g, timeMix6);
}

export function arwkv7(g: GraphBuilder): void {
  qwenLike(g, withFirstValues());
}
