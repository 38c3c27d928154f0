import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { attend } from '../decoders/parts/attention-part.js';
import { experts } from '../../experts/experts.js';
import { layerStates, loadStates, recurrentInput, type RecurrentInput } from '../../recurrent/recurrent.js';

/** How much of each other the tokens of a batch see in linear attention, by head; of the state, and for the new one. */
interface Decays {
  readonly slopes: Tensor;
  readonly queries: Tensor;
  readonly keys: Tensor;
  readonly tokens: Tensor;
}

/** `src/models/minimax-01.cpp` (llama.cpp v0.5.0): linear attention, every eighth layer an ordinary one; norms are the residuals. */
export function miniMax01(g: GraphBuilder): void {
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  const heads = g.hparams.nHead[0] as number;
  const decays: Decays = {
    slopes: ggml.newInput(F32, heads),
    queries: ggml.newInput(F32, 1, heads, g.nSeqTokens, g.nSeqs),
    keys: ggml.newInput(F32, 1, heads, g.nSeqTokens, g.nSeqs),
    tokens: ggml.newInput(F32, g.nSeqTokens, g.nSeqTokens, heads, g.nSeqs),
  };
  for (const layer of g.layers) {
    let residual = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    let cur = g.hparams.isRecurrent[layer]
      ? linearAttention(g, recurrent, residual, layer, decays)
      : attend(g, {}, residual, layer, inputs);
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      residual = g.pickOutputs(residual, outIds);
    }
    const middle = ggml.add(cur, ggml.scale(residual));
    const normed = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    cur = experts(g, normed, layer, { activation: 'silu', gating: 'softmax', normalise: true, scale: 0 });
    layerInput = ggml.add(cur, ggml.scale(normed));
  }
  g.finishWithHead(layerInput);
}

function linearAttention(
  g: GraphBuilder,
  input: RecurrentInput,
  normed: Tensor,
  layer: number,
  { slopes, queries, keys, tokens }: Decays,
): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const size = g.hparams.headLinear;
  const heads = g.hparams.nHead[0] as number;
  const caches = layerStates(g, input, layer);
  loadStates(g, input, caches.conv);
  const cur = ggml.reshape(normed, normed.ne[0], nSeqTokens, 1, nSeqs);
  const product = ggml.unary(g.mulMat(g.layerNeed(layer, 'attn_qkv.weight'), cur), 'silu');
  const all = ggml.reshape(product, 3 * size, heads, nSeqTokens, nSeqs);
  const third = (index: number): Tensor =>
    ggml.view4d(all, [size, heads, nSeqTokens, nSeqs], all.nb[1], all.nb[2], all.nb[3], index * size * all.nb[0]);
  const [q, k, v] = [third(0), third(1), third(2)];
  const old = ggml.reshape(loadStates(g, input, caches.state), size, size, heads, nSeqs);
  const decay = (exponents: Tensor): Tensor => ggml.unary(ggml.scale(exponents), 'exp');

  const fromState = ggml.mulMat(old, ggml.permute(ggml.mul(q, decay(queries)), 0, 2, 1, 3));
  const scores = ggml.mulMat(ggml.permute(k, 0, 2, 1, 3), ggml.permute(q, 0, 2, 1, 3));
  const values = ggml.cont(ggml.permute(v, 1, 2, 0, 3));
  const fromBatch = ggml.mulMat(values, ggml.mul(scores, decay(tokens)));
  const attended = g.expand(ggml.add(fromState, fromBatch));

  const blockDecay = ggml.reshape(ggml.unary(ggml.scale(ggml.scale(slopes)), 'exp'), 1, 1, heads);
  const kept = ggml.mul(old, blockDecay);
  const keysAfter = ggml.cont(ggml.permute(ggml.mul(k, decay(keys)), 1, 2, 0, 3));
  const next = ggml.add(kept, ggml.mulMat(keysAfter, values));
  g.expand(ggml.cpy(next, ggml.view1d(caches.state, size * size * heads * nSeqs, 0)));

  const byToken = ggml.cont(ggml.permute(attended, 0, 2, 1, 3));
  const rows = ggml.reshape(byToken, size * heads, nSeqTokens, 1, nSeqs);
  const gate = ggml.unary(g.mulMat(g.layerNeed(layer, 'attn_gate.weight'), cur), 'sigmoid');
  const gated = ggml.mul(gate, g.rmsNorm(rows, layer, 'attn_norm_2.weight'));
  const out = g.mulMat(g.layerNeed(layer, 'attn_output.weight'), gated);
  return ggml.reshape(out, out.ne[0], nSeqTokens * nSeqs);
}
