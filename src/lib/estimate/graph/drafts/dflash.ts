import type { ModelShape } from '../../../model/model-shape.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import type { ArchitectureGraph } from '../architecture-graph.js';
import { attention } from '../attention/attention.js';
import { attentionInput, type KvInput } from '../attention/attention-input.js';
import { storeHeads } from '../attention/kv-store.js';
import type { GraphBuilder } from '../builder.js';
import { feedForward, projected, splitHeads } from '../projections.js';
import { scatterDraftVocabulary } from './draft-vocabulary.js';

/** DSpark (Markov heads), DFlash 2 (a selector) and drafts with hyper-connections have graphs of their own in the same file. */
export function isPlainDflash({ tensors }: ModelShape): boolean {
  return ![...tensors.keys()].some((name) => /(^|\.)(markov_w[12]|selector_\w+|(output_)?hc_\w+)\./.test(name));
}

/** `src/models/dflash.cpp` (llama.cpp v0.5.0): a block of masked tokens, all drafted in one pass. */
export function dflash(g: GraphBuilder): void {
  const positions = g.inputPositions();
  const input = attentionInput(g);
  let layerInput = ggml.getRows(g.tokenTable(), ggml.newInput(I32, g.nTokens));
  if (g.shape.keys.real('embedding_scale', 0) !== 0) layerInput = ggml.scale(layerInput);
  const gelu = /^gelu/.test(g.shape.keys.text('hidden_act') ?? '');
  for (const layer of g.layers) {
    const normed = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    const rows = projected(g, normed, layer, 'attn_q');
    const heads = splitHeads(g, { q: rows, ...keysAndValues(g, normed, layer) }, layer);
    const q = ggml.rope(g.rmsNorm(heads.q, layer, 'attn_q_norm.weight'), positions, factorsOf(g));
    const { k, v } = rotatedKeys(g, heads, layer, positions);
    const sinks = g.layerWeight(layer, 'attn_sinks.weight');
    let cur = attention(g, input, layer, { q, k, v }, { sinks });
    cur = optionalNorm(g, cur, layer, 'post_attention_norm');
    const middle = ggml.add(cur, layerInput);
    cur = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    cur = feedForward(g, cur, layer, { activation: gelu ? 'gelu' : 'silu' });
    cur = ggml.add(optionalNorm(g, cur, layer, 'post_ffw_norm'), middle);
    const scale = g.layerWeight(layer, 'layer_output_scale.weight');
    layerInput = scale ? ggml.mul(cur, scale) : cur;
  }
  const normed = g.norm(layerInput, g.need('output_norm.weight'), null, 'rms', -1);
  g.embeddings = normed;
  g.finish(scatterDraftVocabulary(g, g.mulMat(g.outputHead(), normed, g.weight('output.scale'))));
}

/** The same model over what it is given of the target's layers: keys and values go to the cache, nothing else is computed. */
export const dflashInjection: ArchitectureGraph = { build: inject, encodes: true };

function inject(g: GraphBuilder): void {
  const positions = g.inputPositions();
  const { full, sliding } = attentionInput(g);
  const fuse = g.need('fc.weight');
  const features = ggml.newInput(F32, fuse.ne[0], g.nTokens);
  const fused = g.norm(
    g.mulMat(fuse, features, g.weight('fc.scale')),
    g.need('enc.output_norm.weight'),
    null,
    'rms',
    -1,
  );
  for (const layer of g.layers) {
    const { k: headK, v: headV, kv: heads } = g.head(layer);
    const rows = keysAndValues(g, fused, layer);
    const k = ggml.reshape(rows.k, headK, heads, g.nTokens);
    const v = ggml.reshape(rows.v, headV, heads, g.nTokens);
    const input = sliding && g.hparams.isSwa[layer] ? sliding : full;
    storeHeads(g, input as KvInput, layer, rotatedKeys(g, { k, v }, layer, positions));
  }
  g.embeddings = g.expand(fused);
}

function keysAndValues(g: GraphBuilder, cur: Tensor, layer: number): { readonly k: Tensor; readonly v: Tensor } {
  const k = projected(g, cur, layer, 'attn_k');
  return { k, v: g.layerWeight(layer, 'attn_v.weight') ? projected(g, cur, layer, 'attn_v') : k };
}

function rotatedKeys(
  g: GraphBuilder,
  heads: { readonly k: Tensor; readonly v: Tensor },
  layer: number,
  positions: Tensor,
): { readonly k: Tensor; readonly v: Tensor } {
  const k = ggml.rope(g.rmsNorm(heads.k, layer, 'attn_k_norm.weight'), positions, factorsOf(g));
  return { k, v: g.layerWeight(layer, 'attn_v.weight') ? heads.v : ggml.rmsNorm(heads.v) };
}

function factorsOf(g: GraphBuilder): Tensor | null {
  return g.hparams.nPosPerEmbd > 1 ? null : g.sharedWeight(0, 'rope_freqs.weight');
}

function optionalNorm(g: GraphBuilder, cur: Tensor, layer: number, name: string): Tensor {
  return g.layerWeight(layer, `${name}.weight`) ? g.rmsNorm(cur, layer, `${name}.weight`) : cur;
}
