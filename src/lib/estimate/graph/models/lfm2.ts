import * as ggml from '../../ggml/ops/ops.js';
import { ssmConv } from '../../ggml/ops/recurrent-ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import { attentionInput, type AttentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { attend } from './decoders/parts/attention-part.js';
import { experts, gatingOf } from '../experts/experts.js';
import { feedForward, projected } from '../projections.js';
import {
  convolutionWindow,
  layerStates,
  loadStates,
  recurrentInput,
  type RecurrentInput,
  storeWindow,
} from '../recurrent/recurrent.js';

/** `src/models/lfm2.cpp` (llama.cpp v0.5.0): layers without KV heads are short convolutions; also with experts. */
export function lfm2(g: GraphBuilder): void {
  const { hparams } = g;
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: unrotatedWindows(attentionInput(g)) };
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    g.tapInput(layer, layerInput);
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    cur = hparams.isRecurrent[layer]
      ? shortConvolution(g, recurrent, cur, layer)
      : attend(g, { headNorms: 'before' }, cur, layer, inputs);
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    const middle = ggml.add(layerInput, cur);
    cur = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    layerInput = ggml.add(middle, feedForwardOrExperts(g, cur, layer));
  }
  finish(g, layerInput);
}

/** `build_inp_mem_hybrid_iswa` has no rotation for quantized caches. */
function unrotatedWindows(input: AttentionInput): AttentionInput {
  if (!input.sliding) return input;
  return { ...input, sliding: { ...input.sliding, kRotation: null, vRotation: null } };
}

function shortConvolution(g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const lookBack = g.hparams.shortConvCache - 1;
  const states = layerStates(g, input, layer).conv;
  const flat = g.params.llama.leanRecurrentLayers;
  const perSequence = (rows: Tensor): Tensor => ggml.reshape(rows, rows.ne[0], nSeqTokens, nSeqs);
  const all = flat
    ? perSequence(projected(g, cur, layer, 'shortconv.in_proj'))
    : projected(g, perSequence(cur), layer, 'shortconv.in_proj');
  const width = all.ne[0] / 3;
  const third = (index: number): Tensor =>
    ggml.view3d(all, [width, nSeqTokens, nSeqs], all.nb[1], all.nb[2], index * width * all.nb[0]);
  const gate = third(1);
  const current = ggml.transpose(ggml.mul(third(0), third(2)));
  const window = g.hparams.causal
    ? convolutionWindow(g, input, states, current, lookBack)
    : centredWindow(g, input, states, current, lookBack);
  const convolved = ssmConv(window, g.layerNeed(layer, 'shortconv.conv.weight'));
  const gated = ggml.mul(gate, convolved);
  const tokens = (rows: Tensor): Tensor => ggml.reshape(rows, rows.ne[0], nSeqTokens * nSeqs);
  if (flat) return projected(g, tokens(gated), layer, 'shortconv.out_proj');
  return tokens(projected(g, gated, layer, 'shortconv.out_proj'));
}

/** Encoders look as far ahead as back. */
function centredWindow(
  g: GraphBuilder,
  input: RecurrentInput,
  states: Tensor,
  current: Tensor,
  lookBack: number,
): Tensor {
  const margin = Math.floor(lookBack / 2);
  const past = ggml.reshape(loadStates(g, input, states), lookBack, g.nEmbd, g.nSeqs);
  const offset = (lookBack - margin) * past.nb[0];
  const left = ggml.cont(ggml.view3d(past, [margin, g.nEmbd, g.nSeqs], past.nb[1], past.nb[2], offset));
  const joined = ggml.concat(left, current, 0);
  const window = ggml.padTo(joined, [joined.ne[0] + margin, joined.ne[1], joined.ne[2], joined.ne[3]]);
  storeWindow(g, states, window, lookBack);
  return window;
}

function feedForwardOrExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  if (!g.layerWeight(layer, 'ffn_gate_inp.weight')) return feedForward(g, cur, layer, { activation: 'silu' });
  return experts(g, cur, layer, {
    activation: 'silu',
    gating: gatingOf(g, 'softmax'),
    normalise: true,
    scale: 0,
  });
}

/** Contexts for embeddings do without the output head. */
function finish(g: GraphBuilder, cur: Tensor): void {
  const normed = g.norm(cur, g.need('token_embd_norm.weight'), null, 'rms', -1);
  g.embeddings = normed;
  if (g.params.embeddings) g.expand(normed);
  else g.finish(g.mulMat(g.outputHead(), normed, g.weight('output.scale')));
}
