import { requireShares } from '../../ggml/ops/operands.js';
import * as ggml from '../../ggml/ops/ops.js';
import { ssmConv, ssmScan } from '../../ggml/ops/recurrent-ops.js';
import { elements, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { projected } from '../projections.js';
import { convolutionWindow, layerStates, loadStates, type RecurrentInput } from './recurrent.js';

/** `build_mamba_layer` (`src/models/mamba-base.cpp`, llama.cpp v0.5.0): each channel is a head of its own. */
export function mambaLayer(g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const { conv, inner, state, dtRank } = g.hparams.ssm;
  const states = layerStates(g, input, layer);
  const xz = projected(g, ggml.reshape(cur, cur.ne[0], nSeqTokens, nSeqs), layer, 'ssm_in');
  const half = (offset: number): Tensor =>
    ggml.view3d(xz, [inner, nSeqTokens, nSeqs], xz.nb[1], xz.nb[2], offset * xz.nb[0]);
  const z = half(inner);
  const window = convolutionWindow(g, input, states.conv, ggml.transpose(half(0)), conv - 1);
  const convolved = convolve(g, window, layer);

  const rates = g.mulMat(g.layerNeed(layer, 'ssm_x.weight'), convolved);
  const column = (offset: number): Tensor =>
    ggml.view4d(
      rates,
      [state, 1, nSeqTokens, nSeqs],
      state * rates.nb[0],
      rates.nb[1],
      rates.nb[2],
      offset * rates.nb[0],
    );
  let dt = ggml.view3d(rates, [dtRank, nSeqTokens, nSeqs], rates.nb[1], rates.nb[2], 0);
  let b = column(dtRank);
  let c = column(dtRank + state);
  if (g.shape.keys.boolean('ssm.dt_b_c_rms', false) || g.layerWeight(layer, 'ssm_dt_norm.weight')) {
    dt = partNorm(g, dt, layer, 'ssm_dt_norm.weight');
    b = partNorm(g, b, layer, 'ssm_b_norm.weight');
    c = partNorm(g, c, layer, 'ssm_c_norm.weight');
  } else if (g.params.llama.contiguousSteps) dt = ggml.cont(dt);
  dt = projected(g, dt, layer, 'ssm_dt');

  const x = ggml.reshape(convolved, 1, inner, nSeqTokens, nSeqs);
  const scanned = loadStates(g, input, states.state, (rows, ids) =>
    ssmScan(ggml.reshape(rows, state, 1, inner, input.cache.rows), x, dt, g.layerNeed(layer, 'ssm_a'), b, c, ids),
  );
  storeScanned(g, states.state, scanned, x);
  const y = ggml.view3d(scanned, [inner, nSeqTokens, nSeqs], x.nb[2], x.nb[3], 0);
  const skipped = ggml.add(y, ggml.mul(convolved, g.layerNeed(layer, 'ssm_d')));
  const gated = ggml.glu(ggml.cont(z), skipped, 'swiglu');
  const out = projected(g, gated, layer, 'ssm_out');
  return ggml.reshape(out, out.ne[0], nSeqTokens * nSeqs);
}

/** With weights in Jamba, without in FalconMamba. */
function partNorm(g: GraphBuilder, cur: Tensor, layer: number, name: string): Tensor {
  return g.norm(cur, g.layerWeight(layer, name), null, 'rms', layer);
}

/** `build_mamba2_layer` (`src/models/mamba-base.cpp`, llama.cpp v0.5.0). */
export function mamba2Layer(g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const { conv, inner, state, dtRank: heads, groups } = g.hparams.ssm;
  requireShares('channels', inner, heads);
  requireShares('channels', inner, groups);
  const headSize = inner / heads;
  const channels = inner + 2 * groups * state;
  const states = layerStates(g, input, layer);
  const flat = g.params.llama.flatMamba2;
  const perSequence = (rows: Tensor): Tensor => ggml.reshape(rows, rows.ne[0], nSeqTokens, nSeqs);
  const all = flat ? perSequence(projected(g, cur, layer, 'ssm_in')) : projected(g, perSequence(cur), layer, 'ssm_in');
  const perHead = (tensor: Tensor, size: number, count: number, offset: number): Tensor =>
    ggml.view4d(
      tensor,
      [size, count, nSeqTokens, nSeqs],
      size * tensor.nb[0],
      tensor.nb[1],
      tensor.nb[2],
      offset * tensor.nb[0],
    );
  const columns = (width: number, offset: number): Tensor =>
    ggml.view3d(all, [width, nSeqTokens, nSeqs], all.nb[1], all.nb[2], offset * all.nb[0]);
  const z = perHead(all, headSize, heads, 0);
  const window = convolutionWindow(g, input, states.conv, ggml.transpose(columns(channels, inner)), conv - 1);
  const convolved = convolve(g, window, layer);

  const x = perHead(convolved, headSize, heads, 0);
  const b = perHead(convolved, state, groups, inner);
  const c = perHead(convolved, state, groups, inner + groups * state);
  const dt = ggml.add(ggml.cont(columns(heads, inner + channels)), g.layerNeed(layer, 'ssm_dt.bias'));
  const scanned = loadStates(g, input, states.state, (rows, ids) =>
    ssmScan(
      ggml.reshape(rows, state, headSize, heads, rows.ne[1]),
      x,
      dt,
      g.layerNeed(layer, 'ssm_a'),
      b,
      c,
      ids,
      1 + g.params.role.statesKept,
    ),
  );
  storeScanned(g, states.state, scanned, x);
  const row = x.nb[1];
  const shape: [number, number, number, number] = [headSize, heads, nSeqTokens, nSeqs];
  const y = ggml.view4d(scanned, shape, row, heads * row, nSeqTokens * heads * row, 0);
  const skipped = ggml.add(y, ggml.mul(x, g.layerNeed(layer, 'ssm_d')));
  let gated = ggml.glu(ggml.cont(z), skipped, 'swiglu');
  const norm = g.layerWeight(layer, 'ssm_norm.weight');
  if (norm) gated = g.norm(ggml.reshape(gated, inner / groups, groups, nSeqTokens, nSeqs), norm, null, 'rms', layer);
  if (flat) return projected(g, ggml.reshape(gated, inner, nSeqTokens * nSeqs), layer, 'ssm_out');
  const out = projected(g, ggml.reshape(gated, inner, nSeqTokens, nSeqs), layer, 'ssm_out');
  return ggml.reshape(out, out.ne[0], nSeqTokens * nSeqs);
}

function convolve(g: GraphBuilder, window: Tensor, layer: number): Tensor {
  const sum = ssmConv(window, g.layerNeed(layer, 'ssm_conv1d.weight'));
  return ggml.unary(ggml.add(sum, g.layerNeed(layer, 'ssm_conv1d.bias')), 'silu');
}

/** The states that the scan leaves behind its output. */
function storeScanned(g: GraphBuilder, states: Tensor, scanned: Tensor, x: Tensor): void {
  const [size] = states.ne;
  const row = size * scanned.nb[0];
  const written: [number, number, number] = [size, g.nSeqs, Math.min(g.nSeqTokens, scanned.snapshots)];
  const last = ggml.view3d(scanned, written, row, row * g.nSeqs, elements(x) * x.nb[0]);
  const group = states.nb[1] * (g.memory.recurrent?.rows ?? states.ne[1]);
  g.expand(ggml.cpy(last, ggml.view3d(states, written, states.nb[1], group, 0)));
}
