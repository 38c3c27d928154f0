import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput } from '../attention/attention-input.js';
import type { ArchitectureGraph } from '../architecture-graph.js';
import type { GraphBuilder } from '../builder.js';
import { ropeFactors } from '../models/decoders/parts/attention-part.js';
import { feedForward, splitHeads } from '../projections.js';
import { scatterDraftVocabulary } from './draft-vocabulary.js';

/**
 * The decoder of `src/models/eagle3.cpp` (llama.cpp v0.5.0), which memory is reserved for: one layer over a token's embedding
 * and the features that the encoder made of the target's layers.
 */
export function eagle3(g: GraphBuilder): void {
  const layer = 0;
  const tokens = ggml.getRows(g.tokenTable(), ggml.newInput(I32, g.nTokens));
  const features = ggml.newInput(F32, g.nEmbd, g.nTokens);
  const positions = g.inputPositions();
  const input = attentionInput(g);
  const embedded = g.rmsNorm(tokens, layer, 'attn_norm.weight');
  const normed = g.norm(features, g.layerNeed(layer, 'attn_norm_2.weight'), null, 'rms', -1);
  const residual = g.shape.keys.boolean('norm_before_residual', false) ? normed : features;
  const both = ggml.concat(embedded, normed, 0);
  const project = (name: string): Tensor => g.mulMat(g.layerNeed(layer, `${name}.weight`), both);
  const heads = splitHeads(g, { q: project('attn_q'), k: project('attn_k'), v: project('attn_v') }, layer);
  const factors = ropeFactors(g, layer);
  const q = ggml.rope(heads.q, positions, factors);
  const k = ggml.rope(heads.k, positions, factors);
  const middle = ggml.add(attention(g, input, layer, { q, k, v: heads.v }), residual);
  const fed = feedForward(g, g.rmsNorm(middle, layer, 'ffn_norm.weight'), layer, { activation: 'silu' });
  const hidden = ggml.add(fed, middle);
  g.keepHidden(hidden);
  const head = g.norm(hidden, g.need('output_norm.weight'), null, 'rms', -1);
  g.finish(scatterDraftVocabulary(g, g.mulMat(g.outputHead(), head)));
}

/** The encoder, which makes features of the target's layers: planned when a prompt comes. */
export const eagle3Encoder: ArchitectureGraph = { build: encode, encodes: true };

function encode(g: GraphBuilder): void {
  const fuse = g.need('fc.weight');
  const features = ggml.newInput(F32, fuse.ne[0], g.nTokens);
  const isNormed = g.shape.keys.boolean('norm_before_fc', false);
  const input = isNormed ? g.norm(features, g.need('enc.output_norm.weight'), null, 'rms', -1) : features;
  g.embeddings = g.expand(g.mulMat(fuse, input));
}
