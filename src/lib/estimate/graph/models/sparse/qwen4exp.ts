import { spreadOver, streamSum } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { deltaNetLayer } from '../../recurrent/delta-net.js';
import { maskOfBest } from '../../attention/indexer.js';
import { recurrentInput } from '../../recurrent/recurrent.js';
import { feedForwardOrExperts, gatedAttention, separateParts } from '../qwen3next.js';
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
  const embeddings = g.expand(g.inputEmbeddings());
  const recurrent = recurrentInput(g);
  const attention = attentionInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention };
  const outIds = g.inputOutIds();
  const choose = blockChooser(g, inputs.positions, attention);
  const ngrams = ngramEmbeddings(g);
  let all = ggml.repeat(ggml.reshape(embeddings, g.nEmbd, 1, g.nTokens), [g.nEmbd, streams, g.nTokens, 1]);
  for (const layer of g.layers) {
    if (ngrams && g.hparams.ngramState[layer]) all = ngramBranch(g, recurrent, ngrams, all, layer);
    const before = mix(g, all, layer, 'hc_attn');
    let { inject } = before;
    g.expand(before.cur);
    let cur = g.hparams.isRecurrent[layer]
      ? deltaNetLayer(g, recurrent, before.cur, layer, DELTA_NET)
      : attend(before.cur, layer);
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
  const cur = collapse(g, all, 'output_hc', -1).cur;
  g.embeddings = cur;
  g.finish(g.mulMat(g.outputHead(), cur, g.weight('output.scale')));

  function attend(cur: Tensor, layer: number): Tensor {
    const best = choose(cur, layer);
    const mask = attention.full?.mask;
    const options = best && mask ? { mask: maskOfBest(g, mask, best), cellsLeft: best.ne[0] } : {};
    return gatedAttention(g, cur, layer, inputs, false, options);
  }
}

/** `build_hc_mix` before a branch. */
function mix(g: GraphBuilder, all: Tensor, layer: number, name: string): Mixed {
  const { cur, normed } = collapse(g, all, `blk.${layer}.${name}`, layer);
  return { cur, inject: g.mulMat(g.layerNeed(layer, `${name}_inject.weight`), normed) };
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
  const weights = ggml.scale(ggml.unary(ggml.scale(inject), 'sigmoid'));
  if (g.fused.has('hc-post')) return g.runsFused('hc-post', spreadOver(cur, residual, weights, null), layer);
  const repeated = ggml.repeat(ggml.reshape(cur, nEmbd, 1, tokens), [nEmbd, streams, tokens, 1]);
  return ggml.add(residual, ggml.mul(repeated, ggml.reshape(weights, 1, streams, tokens)));
}
