import { spreadOver, streamSum } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { deltaNetLayer } from '../../recurrent/delta-net.js';
import { maskOfBest } from '../../attention/indexer.js';
import { recurrentInput } from '../../recurrent/recurrent.js';
import { feedForwardOrExperts, gatedAttention, separateParts } from '../qwen3next.js';
import type { AttentionOptions } from '../../attention/multi-head.js';
import { keptPools } from './kept-pools.js';
import { blockChooser } from './pooled-blocks.js';
import { ngramBranch, ngramEmbeddings } from './ngram-embeddings.js';

/** A branch's input, and how much of its output each stream gets. */
interface Mixed {
  readonly cur: Tensor;
  readonly inject: Tensor;
}

const DELTA_NET = { parts: separateParts, repeatsKeys: false, outputGate: 'sigmoid', copiesWindow: true } as const;

/**
 * `src/models/qwen4exp.cpp` (llama.cpp v0.5.0): residual streams around each branch; delta nets, and attention over the blocks
 * that an indexer chooses; one layer adds what a table has for the last tokens.
 */
export function qwen4exp(g: GraphBuilder): void {
  const streams = g.shape.keys.required('hyper_connection.count');
  const keepsPools = g.params.llama.keepsPooledKeys;
  const early = keepsPools ? ngramEmbeddings(g) : null;
  const embeddings = g.expand(g.inputEmbeddings());
  const recurrent = recurrentInput(g);
  const attention = attentionInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention };
  const outIds = g.inputOutIds();
  const restricted = keepsPools ? keptPools(g, inputs.positions) : chosenCells(g, inputs);
  const ngrams = keepsPools ? early : ngramEmbeddings(g);
  let all = ggml.repeat(ggml.reshape(embeddings, g.nEmbd, 1, g.nTokens), [g.nEmbd, streams, g.nTokens, 1]);
  if (keepsPools) g.expand(all);
  for (const layer of g.layers) {
    if (ngrams && g.hparams.ngramState[layer]) all = ngramBranch(g, recurrent, ngrams, all, layer);
    const before = mix(g, all, layer, 'hc_attn');
    let { inject } = before;
    g.expand(before.cur);
    let cur = g.hparams.isRecurrent[layer]
      ? deltaNetLayer(g, recurrent, before.cur, layer, DELTA_NET)
      : gatedAttention(g, before.cur, layer, inputs, false, restricted(before.cur, layer));
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      inject = g.pickOutputs(inject, outIds);
      const rows = g.pickOutputs(ggml.reshape(all, g.nEmbd * streams, g.nTokens), outIds);
      all = ggml.reshape(rows, g.nEmbd, streams, rows.ne[1]);
    }
    all = combine(g, all, cur, inject, layer);
    const middle = mix(g, all, layer, 'hc_ffn');
    all = combine(g, all, feedForwardOrExperts(g, middle.cur, layer), middle.inject, layer);
    g.pinToLayer(all, layer);
  }
  if (keepsPools) g.keepHidden(g.expand(ggml.reshape(all, g.nEmbd * streams, all.ne[2])));
  const cur = collapse(g, all, 'output_hc', -1).cur;
  g.embeddings = cur;
  g.finish(g.mulMat(g.outputHead(), cur, g.weight('output.scale')));
}

/** Before pooled keys were kept: each token's mask has the cells of its best blocks. */
function chosenCells(g: GraphBuilder, { positions, attention }: DecoderInputs) {
  const choose = blockChooser(g, positions, attention);
  return (cur: Tensor, layer: number): AttentionOptions | undefined => {
    const best = choose(cur, layer);
    const mask = attention.full?.mask;
    return best && mask ? { mask: maskOfBest(g, layer, mask, best), cellsLeft: best.ne[0] } : undefined;
  };
}

/** `build_hc_mix` before a branch. */
function mix(g: GraphBuilder, all: Tensor, layer: number, name: string): Mixed {
  const { cur, normed } = collapse(g, all, `blk.${layer}.${name}`, layer);
  const inject = g.mulMat(g.layerNeed(layer, `${name}_inject.weight`), normed);
  return { cur, inject: g.params.llama.keepsPooledKeys ? ggml.scale(inject) : inject };
}

/** The streams' mean, each with a gate for every element; in the head (layer -1) never as one op. */
function collapse(
  g: GraphBuilder,
  all: Tensor,
  name: string,
  layer: number,
): { readonly cur: Tensor; readonly normed: Tensor } {
  const [nEmbd, streams, tokens] = all.ne;
  const scaled = ggml.mul(ggml.rmsNorm(all), g.need(`${name}_norm.weight`));
  const normed = ggml.reshape(scaled, streams * nEmbd, tokens);
  const low = ggml.unary(ggml.scale(g.mulMat(g.need(`${name}_down.weight`), normed)), 'silu');
  const gate = g.mulMat(g.need(`${name}_up.weight`), low);
  if (g.fused.has('hc-pre') && layer >= 0) {
    const byStream = (rows: Tensor): Tensor => ggml.reshape(rows, nEmbd, streams, tokens);
    return { cur: g.runsFused('hc-pre', streamSum(byStream(normed), byStream(gate)), layer), normed };
  }
  const gated = ggml.reshape(ggml.mul(normed, ggml.unary(gate, 'sigmoid')), nEmbd, streams, tokens);
  const stream = (index: number): Tensor =>
    ggml.view2d(gated, nEmbd, tokens, ggml.rowSize(gated, nEmbd) * streams, ggml.rowSize(gated, nEmbd) * index);
  let sum = ggml.cont(stream(0));
  for (let i = 1; i < streams; i++) sum = ggml.add(sum, stream(i));
  return { cur: ggml.scale(sum), normed };
}

/** `build_hc_combine`: a branch's output onto every stream. */
function combine(g: GraphBuilder, residual: Tensor, cur: Tensor, inject: Tensor, layer: number): Tensor {
  const [nEmbd, streams, tokens] = residual.ne;
  const given = g.params.llama.keepsPooledKeys ? inject : ggml.scale(inject);
  const weights = ggml.scale(ggml.unary(given, 'sigmoid'));
  if (g.fused.has('hc-post')) return g.runsFused('hc-post', spreadOver(cur, residual, weights, null), layer);
  const repeated = ggml.repeat(ggml.reshape(cur, nEmbd, 1, tokens), [nEmbd, streams, tokens, 1]);
  return ggml.add(residual, ggml.mul(repeated, ggml.reshape(weights, 1, streams, tokens)));
}
