import { table } from '../../../table.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ArchitectureGraph } from '../architecture-graph.js';
import { attention } from '../attention/attention.js';
import type { GraphBuilder } from '../builder.js';
import type { DecoderInputs } from '../attention/attention-input.js';
import { gatingOf } from '../experts/experts.js';
import { latentHeads, latentQueries } from '../attention/latent.js';
import { attend } from '../models/decoders/parts/attention-part.js';
import { EXPERTS_SPECS } from '../models/decoders/experts.js';
import { feed } from '../models/decoders/parts/feed-forward-part.js';
import { PARALLEL_SPECS } from '../models/decoders/parallel.js';
import type { AttentionSpec, DecoderSpec, FeedForwardSpec } from '../models/decoders/spec.js';
import { deepseekAttention, deepseekExperts } from '../models/deepseek2.js';
import { gatedLatent } from '../models/latent/kimi-linear.js';
import { latentExperts } from '../models/nemotron-h.js';
import { feedForwardOrExperts, gatedAttention } from '../models/qwen3next.js';
import { withSharedExperts } from '../experts/shared-experts.js';
import { deepseek4Head } from '../models/sparse/deepseek4.js';
import { projectQkv } from '../projections.js';
import { draftHead, type DraftHead } from './draft-head.js';

const qwen: DraftHead = {
  attention: (g, cur, layer, inputs) => gatedAttention(g, cur, layer, inputs, false),
  feedForward: feedForwardOrExperts,
  feedForwardNorm: 'post_attention_norm',
};

/** Latent attention over everything, whatever an indexer chooses in the model's own layers. */
const sparse: DraftHead = {
  attention: (g, cur, layer, { positions, attention: input }) =>
    attention(g, input, layer, latentHeads(g, cur, latentQueries(g, cur, layer), layer, positions), {
      valueUp: g.layerNeed(layer, 'attn_v_b.weight'),
    }),
  feedForward: (g, cur, layer) => withSharedExperts(g, cur, layer, { gating: gatingOf(g, 'sigmoid') }),
  feedForwardNorm: 'ffn_norm',
};

/** The parts of a decoder that is data, for one more block. */
function partsOf(
  { attention: attentionSpec, feedForward: feedForwardSpec }: DecoderSpec = {},
  changes: AttentionSpec = {},
): Pick<DraftHead, 'attention' | 'feedForward'> {
  const spec = { ...(attentionSpec as AttentionSpec | undefined), ...changes };
  return {
    attention: (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) =>
      attend(g, spec, cur, layer, inputs),
    feedForward: (g, cur, layer) =>
      feed(g, (feedForwardSpec ?? {}) as FeedForwardSpec, cur, layer, { input: cur, pick: (rows) => rows }),
  };
}

/** Blocks that predict further tokens in the model's own file: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DRAFT_HEADS = table<ArchitectureGraph>({
  qwen35: draftHead(qwen),
  qwen35moe: draftHead(qwen),
  qwen3next: draftHead({ ...qwen, picks: 'before-sum' }),
  glm4moe: draftHead({
    attention: (g, cur, layer, inputs) => attend(g, { headNorms: 'before' }, cur, layer, inputs),
    feedForward: (g, cur, layer) => withSharedExperts(g, cur, layer, { gating: gatingOf(g, 'sigmoid') }),
    feedForwardNorm: 'post_attention_norm',
  }),
  deepseek2: draftHead({ attention: deepseekAttention, feedForward: deepseekExperts, feedForwardNorm: 'ffn_norm' }),
  deepseek32: draftHead(sparse),
  'glm-dsa': draftHead(sparse),
  deepseek4: { build: deepseek4Head, fusedOps: ['hc-pre', 'hc-comb', 'hc-post'] },
  bailingmoe3: draftHead({ ...sparse, attention: gatedLatent }),
  nemotron_h_moe: draftHead({
    attention: (g, cur, layer, inputs) => attention(g, inputs.attention, layer, projectQkv(g, cur, layer)),
    feedForward: latentExperts,
    feedForwardNorm: 'post_attention_norm',
    picks: 'after-sum',
    finalNorm: 'layer',
  }),
  hy_v3: draftHead({ ...partsOf(EXPERTS_SPECS['hy_v3']), feedForwardNorm: 'ffn_norm' }),
  mimo2: draftHead({
    ...partsOf(EXPERTS_SPECS['mimo2']),
    feedForwardNorm: 'ffn_norm',
    picks: 'before-norm',
    norms: ['layer_output_norm'],
  }),
  step35: draftHead({ ...partsOf(EXPERTS_SPECS['step35']), feedForwardNorm: 'ffn_norm', picks: 'before-norm' }),
  cohere2moe: draftHead({
    ...partsOf(PARALLEL_SPECS['cohere2moe'], { rotates: () => true }),
    feedForwardNorm: null,
    norm: PARALLEL_SPECS['cohere2moe']?.norm as NonNullable<DraftHead['norm']>,
    scalesLogits: true,
  }),
});
