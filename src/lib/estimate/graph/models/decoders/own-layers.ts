import type { GraphBuilder } from '../../builder.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { experts } from '../../experts/experts.js';
import { feedForward } from '../../projections.js';
import type { DecoderSpec } from './spec.js';

/** `src/models/arctic.cpp` (llama.cpp v0.5.0): experts read the layer's input, beside a dense branch after attention. */
const arctic: DecoderSpec = {
  layer: ({ g, norm, pick, attend }, input, layer) => {
    const attended = pick(attend(norm(input, layer, 'attn_norm'), layer), layer);
    const residual = pick(input, layer);
    const middle = ggml.add(attended, residual);
    const dense = feedForward(g, norm(middle, layer, 'ffn_norm'), layer, { activation: 'silu' });
    const sum = ggml.add(dense, middle);
    const routed = experts(g, norm(residual, layer, 'ffn_norm_exps'), layer, {
      activation: 'silu',
      gating: 'softmax',
      normalise: true,
      scale: 0,
    });
    return ggml.add(routed, sum);
  },
};

/** `src/models/deci.cpp` (llama.cpp v0.5.0): layers may lack attention, replace it by one matrix, or lack the feed-forward. */
const deci: DecoderSpec = {
  layer: ({ g, norm, pick, attend, feed }, input, layer) => {
    const { q: heads, kv: kvHeads } = g.head(layer);
    let cur = heads === 0 ? input : norm(input, layer, 'attn_norm');
    if (heads > 0) cur = kvHeads === 0 ? g.mulMat(g.layerNeed(layer, 'attn_output.weight'), cur) : attend(cur, layer);
    cur = pick(cur, layer);
    if (g.hparams.nFf[layer] === 0) return input;
    const middle = heads === 0 ? cur : ggml.add(cur, pick(input, layer));
    return ggml.add(feed(norm(middle, layer, 'ffn_norm'), layer), middle);
  },
};

/** `src/models/nanbeige.cpp` (llama.cpp v0.5.0): all blocks several times over, the final norm between two rounds. */
const nanbeige: DecoderSpec = {
  afterLayer: (g, cur, layer) => {
    const { blockOf, nLayer } = g.hparams;
    const roundEnds = layer + 1 < nLayer && blockOf[layer + 1] === 0;
    if (!roundEnds || g.shape.keys.boolean('skip_loop_final_norm', false)) return cur;
    return g.norm(cur, g.need('output_norm.weight'), null, 'rms', layer);
  },
  kindOf: (layer, { hparams: { blockOf, nLayer } }) => (blockOf[nLayer - 1] === nLayer - 1 ? 0 : layer),
};

/** `src/models/grok.cpp` (llama.cpp v0.5.0): a dense branch beside the experts, everything scaled; files have one of two last norms. */
const grok = (g: GraphBuilder): DecoderSpec => ({
  input: { scaled: () => g.shape.keys.real('embedding_scale', 1) !== 0 },
  norms: {
    afterAttention: 'attn_output_norm',
    afterFeedForward: g.layerWeight(0, 'layer_output_norm.weight') ? 'layer_output_norm' : 'post_ffw_norm',
  },
  feedForward: (_, cur, layer) => {
    const routed = experts(g, cur, layer, { activation: 'gelu', gating: 'softmax', normalise: true, scale: 0 });
    if (!g.layerWeight(layer, 'ffn_up.weight')) return routed;
    return ggml.scale(ggml.add(feedForward(g, cur, layer, { activation: 'gelu' }), routed));
  },
  head: { scaled: 'always', softCap: true },
});

/** Decoders whose layers are put together in an order of their own. */
export const OWN_LAYER_SPECS: Readonly<Record<string, DecoderSpec | ((g: GraphBuilder) => DecoderSpec)>> = {
  arctic,
  deci,
  nanbeige,
  grok,
};
