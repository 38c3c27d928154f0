import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { attention } from '../../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import { overCache, type Qkv, rotationsOf } from '../../attention/kv-store.js';
import type { GraphBuilder } from '../../builder.js';
import { gatingOf } from '../../experts/experts.js';
import { indexerKeys } from '../../attention/indexer.js';
import { feedForward, projected, projectQkv } from '../../projections.js';
import { withSharedExperts } from '../../experts/shared-experts.js';
import { attendEachStream, attendOneToken, type BlockInputs, blockInputs } from './block-attention.js';
import { decoderGraph } from '../decoders/build.js';

const ACTIVATION = { activation: 'swiglu_oai' } as const;

/**
 * `src/models/minimax-m3.cpp` (llama.cpp v0.5.0): after the leading dense layers, each group of heads attends to the blocks
 * that its indexer head chooses, where flash attention is on and each sequence has cells of its own; else to all.
 */
export const miniMaxM3 = decoderGraph((g) => {
  const { nLayerDenseLead } = g.hparams;
  const gating = gatingOf(g, 'sigmoid');
  const input = attentionInput(g);
  if (!input.full) throw graphError('sparse attention needs a KV cache');
  const blocks = g.flashAttn && (g.params.nSeqMax === 1 || !g.params.kvUnified) ? blockInputs(g, input.full) : null;
  return {
    attentionInput: () => input,
    attention: (_, cur, layer, inputs) => {
      const { q, k, v } = projectQkv(g, cur, layer);
      const rotated = {
        q: ggml.rope(g.rmsNorm(q, layer, 'attn_q_norm.weight'), inputs.positions),
        k: ggml.rope(g.rmsNorm(k, layer, 'attn_k_norm.weight'), inputs.positions),
        v,
      };
      if (!blocks || layer < nLayerDenseLead) return attention(g, inputs.attention, layer, rotated);
      return projected(g, overBlocks(g, cur, layer, rotated, blocks, inputs), layer, 'attn_output');
    },
    feedForward: (_, cur, layer) =>
      layer < nLayerDenseLead
        ? feedForward(g, cur, layer, ACTIVATION)
        : withSharedExperts(g, cur, layer, { gating, ...ACTIVATION }),
  };
});

function overBlocks(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  heads: Qkv,
  blocks: BlockInputs,
  { positions }: DecoderInputs,
): Tensor {
  const { headSize, heads: groups } = g.hparams.indexer;
  const rotated = (name: string, count: number): Tensor => {
    const product = g.mulMat(g.layerNeed(layer, `indexer.${name}_proj.weight`), cur);
    const normed = g.rmsNorm(ggml.reshape(product, headSize, count, g.nTokens), layer, `indexer.${name}_norm.weight`);
    return ggml.rope(normed, positions);
  };
  const queries = rotated('q', groups);
  const keys = indexerKeys(g, blocks.indexer, layer, rotated('k', 1));
  const stored = overCache(g, blocks.kv, layer, heads, { latent: false, keysFirst: true });
  const attended = blocks.oneToken
    ? attendOneToken(g, blocks, queries, keys, stored)
    : attendEachStream(g, blocks, queries, keys, stored);
  const { vRotation } = rotationsOf(g, blocks.kv, layer);
  return vRotation ? ggml.mulMatHadamard(attended, vRotation) : attended;
}
