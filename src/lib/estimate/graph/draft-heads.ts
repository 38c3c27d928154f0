import { table } from '../../table.js';
import * as ggml from '../ggml/ops.js';
import { F32, I32, type Tensor } from '../ggml/tensor.js';
import type { ArchitectureGraph } from './architecture-graph.js';
import { attentionInput } from './attention.js';
import type { GraphBuilder } from './builder.js';
import { type DecoderInputs, rotaryAttention } from './decoder.js';
import { gatingOf } from './experts.js';
import { deepseekAttention, deepseekExperts } from './models/deepseek2.js';
import { withSharedExperts } from './models/shared-experts.js';
import { gatedAttention, feedForwardOrExperts } from './models/qwen3next.js';

type Part = (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;

interface DraftHead {
  readonly attention: Part;
  readonly feedForward: Part;
  readonly feedForwardNorm: 'post_attention_norm' | 'ffn_norm';
  /** Rows without output are dropped after the attention, not before the head. */
  readonly picksEarly?: boolean;
}

/** `graph_mtp` of an architecture: its last block, which reads a token and the model's hidden state, then the head. */
function draftHead({ attention, feedForward, feedForwardNorm, picksEarly = false }: DraftHead): ArchitectureGraph {
  const build = (g: GraphBuilder): void => {
    const layer = g.hparams.nLayer;
    const name = (part: string): string => `nextn.${part}.weight`;
    const table = g.layerWeight(layer, name('embed_tokens')) ?? g.need('token_embd.weight');
    const tokens = ggml.getRows(table, ggml.newInput(I32, g.nTokens));
    const hiddenInput = ggml.newInput(F32, g.nEmbd, g.nTokens);
    const positions = g.inputPositions();
    const outIds = g.inputOutIds();
    const inputs: DecoderInputs = { positions, attention: attentionInput(g) };

    const hidden = g.rmsNorm(hiddenInput, layer, name('hnorm'));
    const both = ggml.concat(g.rmsNorm(tokens, layer, name('enorm')), hidden, 0);
    let residual = g.mulMat(g.layerNeed(layer, name('eh_proj')), both, g.layerWeight(layer, 'nextn.eh_proj.scale'));
    let cur = attention(g, g.rmsNorm(residual, layer, 'attn_norm.weight'), layer, inputs);
    if (picksEarly) [cur, residual] = [g.pickOutputs(cur, outIds), g.pickOutputs(residual, outIds)];
    const middle = ggml.add(cur, residual);
    cur = feedForward(g, g.rmsNorm(middle, layer, `${feedForwardNorm}.weight`), layer, inputs);
    cur = ggml.add(cur, middle);

    const norm = g.layerWeight(layer, name('shared_head_norm')) ?? g.need('output_norm.weight');
    cur = g.norm(cur, norm, null, 'rms', -1);
    g.keepHidden(cur);
    if (!picksEarly) cur = g.pickOutputs(cur, outIds);
    const own = g.layerWeight(layer, name('shared_head_head'));
    const scale = own ? g.layerWeight(layer, 'nextn.shared_head_head.scale') : g.weight('output.scale');
    g.finish(g.mulMat(own ?? g.outputHead(), cur, scale));
  };
  return { build };
}

const qwen: DraftHead = {
  attention: (g, cur, layer, inputs) => gatedAttention(g, cur, layer, inputs, false),
  feedForward: feedForwardOrExperts,
  feedForwardNorm: 'post_attention_norm',
};

/** Blocks that predict further tokens in the model's own file: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DRAFT_HEADS = table<ArchitectureGraph>({
  qwen35: draftHead(qwen),
  qwen35moe: draftHead(qwen),
  qwen3next: draftHead({ ...qwen, picksEarly: true }),
  glm4moe: draftHead({
    attention: (g, cur, layer, inputs) =>
      rotaryAttention({ headNorms: g.layerWeight(layer, 'attn_q_norm.weight') !== null })(g, cur, layer, inputs),
    feedForward: (g, cur, layer) => withSharedExperts(g, cur, layer, { gating: gatingOf(g, 'sigmoid') }),
    feedForwardNorm: 'post_attention_norm',
  }),
  deepseek2: draftHead({ attention: deepseekAttention, feedForward: deepseekExperts, feedForwardNorm: 'ffn_norm' }),
});
