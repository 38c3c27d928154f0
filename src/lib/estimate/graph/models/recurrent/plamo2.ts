import * as ggml from '../../../ggml/ops/ops.js';
import { ssmConv, ssmScan } from '../../../ggml/ops/recurrent-ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { attend } from '../decoders/parts/attention-part.js';
import { feedForward, projected } from '../../projections.js';
import { layerStates, loadStates, recurrentInput, type RecurrentInput } from '../../recurrent/recurrent.js';

/** `src/models/plamo2.cpp` (llama.cpp v0.5.0): Mamba with a head layout of its own, and attention. */
export function plamo2(g: GraphBuilder): void {
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let residual = layerInput;
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    cur = g.hparams.isRecurrent[layer]
      ? scan(g, recurrent, cur, layer)
      : attend(g, { headNorms: 'before' }, cur, layer, inputs);
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      residual = g.pickOutputs(residual, outIds);
    }
    const middle = ggml.add(g.rmsNorm(cur, layer, 'post_attention_norm'), residual);
    cur = feedForward(g, g.rmsNorm(middle, layer, 'ffn_norm.weight'), layer, { activation: 'swiglu' });
    layerInput = ggml.add(g.rmsNorm(cur, layer, 'post_ffw_norm'), middle);
  }
  g.finishWithHead(layerInput);
}

/** `build_plamo2_mamba_layer`: gate and input of each head lie beside each other. */
function scan(g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const { conv, inner, state, dtRank: heads } = g.hparams.ssm;
  const size = inner / heads;
  const states = layerStates(g, input, layer);
  const past = ggml.reshape(loadStates(g, input, states.conv), conv - 1, inner, nSeqs);
  const product = projected(g, ggml.reshape(cur, cur.ne[0], nSeqTokens, nSeqs), layer, 'ssm_in');
  const both = ggml.contTo(ggml.permute(product, 0, 2, 1, 3), 2 * size, heads, nSeqTokens, nSeqs);
  const half = (offset: number): Tensor =>
    ggml.view4d(both, [size, heads, nSeqTokens, nSeqs], both.nb[1], both.nb[2], both.nb[3], offset);
  const values = ggml.contTo(half(size * both.nb[0]), inner, nSeqTokens, nSeqs);
  const z = half(0);
  const window = ggml.concat(past, ggml.transpose(values), 0);
  const last = ggml.view3d(window, [conv - 1, inner, nSeqs], window.nb[1], window.nb[2], nSeqTokens * window.nb[0]);
  g.expand(ggml.cpy(last, ggml.view1d(states.conv, (conv - 1) * inner * nSeqs, 0)));
  const convolved = ggml.unary(ssmConv(window, g.layerNeed(layer, 'ssm_conv1d.weight')), 'silu');

  const rates = projected(g, convolved, layer, 'ssm_x');
  const part = (width: number, offset: number, norm: string): Tensor => {
    const view = ggml.view3d(rates, [width, nSeqTokens, nSeqs], rates.nb[1], rates.nb[2], offset * rates.nb[0]);
    return g.rmsNorm(view, layer, norm);
  };
  const column = (rows: Tensor): Tensor =>
    ggml.view4d(rows, [state, 1, nSeqTokens, nSeqs], state * rows.nb[0], rows.nb[1], rows.nb[2], 0);
  const b = part(state, 0, 'ssm_b_norm');
  const c = part(state, state, 'ssm_c_norm');
  const dt = projected(g, part(Math.max(64, Math.floor(g.nEmbd / 16)), 2 * state, 'ssm_dt_norm'), layer, 'ssm_dt');
  const a = ggml.reshape(g.layerNeed(layer, 'ssm_a'), 1, heads);
  const row = 4 * size;
  const perHead = (tensor: Tensor): Tensor =>
    ggml.view4d(tensor, [size, heads, nSeqTokens, nSeqs], row, row * heads, row * heads * nSeqTokens, 0);
  const x = perHead(convolved);
  const [columnB, columnC] = [column(b), column(c)];
  const scanned = loadStates(g, input, states.state, (rows, ids) =>
    ssmScan(ggml.reshape(rows, state, size, heads, input.cache.rows), x, dt, a, columnB, columnC, ids),
  );
  const count = inner * state * nSeqs;
  const newStates = ggml.view1d(scanned, count, inner * nSeqTokens * nSeqs * scanned.nb[0]);
  g.expand(ggml.cpy(newStates, ggml.view1d(states.state, count, 0)));
  const skipped = ggml.add(perHead(scanned), ggml.mul(x, ggml.reshape(g.layerNeed(layer, 'ssm_d'), 1, heads)));
  const gated = ggml.glu(ggml.cont(z), skipped, 'swiglu');
  const flat = ggml.view3d(gated, [inner, nSeqTokens, nSeqs], gated.nb[2], gated.nb[3], 0);
  const out = projected(g, flat, layer, 'ssm_out');
  return ggml.reshape(out, out.ne[0], nSeqTokens * nSeqs);
}
