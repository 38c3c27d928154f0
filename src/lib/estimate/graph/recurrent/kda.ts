import { graphError } from '../../ggml/graph-error.js';
import * as ggml from '../../ggml/ops/ops.js';
import { gatedDeltaNet, ssmConv } from '../../ggml/ops/recurrent-ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { attendAndStore } from './delta-net.js';
import { layerStates, loadStates, type RecurrentInput } from './recurrent.js';

/** What differs between the models with Kimi's delta attention. */
export interface Kda {
  /** From its input, [width, tokens], to what a state keeps of itself: [head size, heads, tokens]. */
  readonly decay: (cur: Tensor) => Tensor;
  /** Gate of the output, [inner size, tokens]. */
  readonly gate: (cur: Tensor) => Tensor;
  /** The state goes back to the cache as one row, not as one a sequence. */
  readonly storesFlat?: boolean;
}

const PARTS = ['q', 'k', 'v'] as const;

/** Graphs that only know three matrices, also where a file has one for all and it is loaded. */
const NEVER_FUSED: ReadonlySet<string> = new Set(['bailingmoe3', 'kimi-k3']);

/** The KDA layers of `src/models/kimi-linear.cpp`, `kimi-k3.cpp` and `bailingmoe3.cpp` (llama.cpp v0.5.0). */
export function kdaLayer(g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number, spec: Kda): Tensor {
  const { nSeqTokens, nSeqs, nTokens } = g;
  const size = g.hparams.headKda;
  const heads = g.hparams.nHead[0] as number;
  const caches = layerStates(g, input, layer);
  const past = loadStates(g, input, caches.conv);
  const [q, k, v] = projections(g, cur, layer).map((rows, part) =>
    convolved(g, caches.conv, past, rows, layer, part),
  ) as [Tensor, Tensor, Tensor];
  const decay = ggml.reshape(spec.decay(cur), size, heads, nSeqTokens, nSeqs);
  const mixed = g.mulMat(g.layerNeed(layer, 'ssm_beta.weight'), cur);
  const beta = ggml.unary(ggml.reshape(mixed, 1, heads, nSeqTokens, nSeqs), 'sigmoid');
  const state = ggml.reshape(loadStates(g, input, caches.state), size, size, heads, nSeqs);
  const unit = (rows: Tensor): Tensor => ggml.scale(ggml.rmsNorm(rows));
  const result = gatedDeltaNet(unit(q), unit(k), v, decay, beta, state);
  const output = ggml.cont(attendAndStore(g, caches.state, result, v, spec.storesFlat));
  const gate = ggml.reshape(spec.gate(cur), size, heads, nTokens);
  const normed = g.rmsNorm(ggml.reshape(output, size, heads, nTokens), layer, 'ssm_norm.weight');
  const gated = ggml.mul(normed, ggml.unary(gate, 'sigmoid'));
  return g.mulMat(g.layerNeed(layer, 'attn_output.weight'), ggml.contTo(gated, size * heads, nTokens));
}

/** Rows of queries, keys and values, from three matrices or one. */
function projections(g: GraphBuilder, cur: Tensor, layer: number): Tensor[] {
  const fused = g.layerWeight(layer, 'attn_qkv.weight');
  if (fused && NEVER_FUSED.has(g.shape.architecture)) throw graphError('one matrix for queries, keys and values');
  if (!fused) return PARTS.map((part) => g.mulMat(g.layerNeed(layer, `attn_${part}.weight`), cur));
  const all = g.mulMat(fused, cur);
  const width = all.ne[0] / PARTS.length;
  return PARTS.map((_, i) => ggml.cont(ggml.view2d(all, width, g.nTokens, all.nb[1], i * width * all.nb[0])));
}

/** `causal_conv1d`: each of queries, keys and values has a third of the convolution's state. */
function convolved(g: GraphBuilder, states: Tensor, past: Tensor, rows: Tensor, layer: number, part: number): Tensor {
  const { nSeqTokens, nSeqs, nTokens } = g;
  const size = g.hparams.headKda;
  const heads = g.hparams.nHead[0] as number;
  const inner = size * heads;
  const lookBack = g.hparams.ssm.conv - 1;
  const third = lookBack * inner;
  const stateOf = (tensor: Tensor): Tensor =>
    ggml.view3d(
      tensor,
      [lookBack, inner, nSeqs],
      ggml.rowSize(tensor, lookBack),
      ggml.rowSize(tensor, PARTS.length * third),
      ggml.rowSize(tensor, part * third),
    );
  const current = ggml.reshape(rows, inner, nSeqTokens, nSeqs);
  const window = ggml.concat(stateOf(past), ggml.transpose(current), 0);
  const last = ggml.view3d(window, [lookBack, inner, nSeqs], window.nb[1], window.nb[2], nSeqTokens * window.nb[0]);
  g.expand(ggml.cpy(last, stateOf(states)));
  const kernel = g.layerNeed(layer, `ssm_conv1d_${PARTS[part] ?? ''}.weight`);
  const sum = ssmConv(window, ggml.reshape(kernel, lookBack + 1, inner));
  return ggml.reshape(ggml.unary(ggml.reshape(sum, inner, nTokens), 'silu'), size, heads, nSeqTokens, nSeqs);
}

/** The decay's input: a matrix of low rank, or one. */
export function decayRows(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const first = g.mulMat(g.layerNeed(layer, 'ssm_f_a.weight'), cur);
  const second = g.layerWeight(layer, 'ssm_f_b.weight');
  return ggml.add(second ? g.mulMat(second, first) : first, g.layerNeed(layer, 'ssm_dt.bias'));
}

/** Rows of all heads times each head's rate. */
export function timesRates(g: GraphBuilder, rows: Tensor, layer: number): Tensor {
  const heads = g.hparams.nHead[0] as number;
  const rates = ggml.reshape(g.layerNeed(layer, 'ssm_a'), 1, heads, 1);
  return ggml.mul(ggml.reshape(rows, g.hparams.headKda, heads, g.nTokens), rates);
}
