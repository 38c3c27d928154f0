import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { attention } from '../../attention/attention.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { gatingOf } from '../../experts/experts.js';
import { indexerInput, maskOfBest, maskToOpen } from '../../attention/indexer.js';
import { latentHeads } from '../../attention/latent.js';
import { feedForward, projected } from '../../projections.js';
import { choose } from '../latent/dsa.js';
import { limited, withSharedExperts } from '../../experts/shared-experts.js';
import { oneWeight, streamOf } from './hyper-connections.js';

/** A branch's input, and how much of its output each stream gets. */
interface Reduced {
  readonly cur: Tensor;
  readonly post: Tensor;
}

/**
 * `src/models/hy-v4.cpp` (llama.cpp v0.5.0): several residual streams around each branch; latent attention over the cells that
 * an indexer chooses, or over all.
 */
export function hyV4(g: GraphBuilder): void {
  const streams = streamsOf(g);
  const inputs = g.inputEmbeddings();
  const positions = g.inputPositions();
  const attend = attentionBranch(g, positions);
  const outIds = g.inputOutIds();
  const expand = feedForwardBranch(g);
  let all = ggml.repeat(ggml.reshape(inputs, g.nEmbd, 1, g.nTokens), [g.nEmbd, streams, g.nTokens, 1]);
  for (const layer of g.layers) {
    const before = reduce(g, all, layer, 'hc_attn');
    all = distribute(attend(g.rmsNorm(before.cur, layer, 'attn_norm.weight'), layer), all, before.post);
    const middle = reduce(g, all, layer, 'hc_ffn');
    all = distribute(expand(g.rmsNorm(middle.cur, layer, 'ffn_norm.weight'), layer), all, middle.post);
  }
  const rows = g.pickOutputs(ggml.reshape(all, g.nEmbd * streams, g.nTokens), outIds);
  g.finishWithHead(head(g, ggml.reshape(rows, g.nEmbd, streams, g.nOutputs)));
}

function streamsOf(g: GraphBuilder): number {
  return g.shape.keys.required('hyper_connection.count');
}

function attentionBranch(g: GraphBuilder, positions: Tensor): (cur: Tensor, layer: number) => Tensor {
  const input = attentionInput(g);
  const { full } = input;
  if (!full) throw graphError('latent attention needs a KV cache');
  const indexer = g.memory.indexer && indexerInput(g);
  let best: Tensor | null = null;
  return (cur, layer) => {
    const low = g.rmsNorm(g.mulMat(g.layerNeed(layer, 'attn_q_a.weight'), cur), layer, 'attn_q_a_norm.weight');
    if (indexer && g.hparams.indexer.full[layer]) best = choose(g, indexer, cur, low, layer, positions, false);
    const q = g.mulMat(g.layerNeed(layer, 'attn_q_b.weight'), low);
    const attended = attention(g, input, layer, latentHeads(g, cur, q, layer, positions), {
      valueUp: g.layerNeed(layer, 'attn_v_b.weight'),
      sinks: g.layerNeed(layer, 'attn_sinks.weight'),
      output: null,
      ...(best && indexer
        ? { mask: maskOfBest(g, layer, maskToOpen(g, full.mask, indexer), best), cellsLeft: best.ne[0] }
        : {}),
    });
    const gates = ggml.unary(g.mulMat(g.layerNeed(layer, 'attn_gate.weight'), cur), 'sigmoid');
    return projected(g, ggml.mul(attended, gates), layer, 'attn_output');
  };
}

function feedForwardBranch(g: GraphBuilder): (cur: Tensor, layer: number) => Tensor {
  const gating = gatingOf(g, 'softmax');
  return (cur, layer) => {
    if (layer < g.hparams.nLayerDenseLead) return feedForward(g, cur, layer, { activation: 'silu' });
    const clamped = limited(g, 'swiglu_clamp_exp', layer) ? ({ clamped: 'fused' } as const) : {};
    return withSharedExperts(g, cur, layer, { gating, ...clamped });
  };
}

/** `build_hc_pre`. */
function reduce(g: GraphBuilder, all: Tensor, layer: number, name: string): Reduced {
  const [nEmbd, streams, tokens] = all.ne;
  const flat = ggml.rmsNorm(ggml.reshape(all, streams * nEmbd, tokens));
  const mixes = g.mulMat(g.layerNeed(layer, `${name}_fn.weight`), flat);
  const scales = g.layerNeed(layer, `${name}_scale.weight`);
  const base = g.layerNeed(layer, `${name}_base.weight`);
  const part = (index: number): Tensor => {
    const rows = ggml.view2d(mixes, streams, tokens, mixes.nb[1], ggml.rowSize(mixes, index * streams));
    const scaled = ggml.mul(rows, ggml.view1d(scales, 1, ggml.rowSize(scales, index)));
    return ggml.unary(ggml.add(scaled, ggml.view1d(base, streams, ggml.rowSize(base, index * streams))), 'sigmoid');
  };
  const pre = ggml.scale(part(0));
  const post = ggml.scale(ggml.scale(part(1)));
  return { cur: weighted(all, pre), post };
}

/** The streams' sum, each with its weight: `hy_v4_hc_reduce`. */
function weighted(all: Tensor, weights: Tensor): Tensor {
  const x = ggml.cast(all, F32);
  const terms = Array.from({ length: all.ne[1] }, (_, i) => ggml.mul(streamOf(x, i), oneWeight(weights, i)));
  return ggml.cast(
    terms.reduce((sum, term) => ggml.add(sum, term)),
    all.type,
  );
}

/** `build_hc_post`: a branch's output onto every stream. */
function distribute(cur: Tensor, residual: Tensor, post: Tensor): Tensor {
  const [nEmbd, streams, tokens] = residual.ne;
  const [x, weights, before] = [cur, post, residual].map((tensor) => ggml.cast(tensor, F32)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const rows = Array.from({ length: streams }, (_, i) => {
    const sum = ggml.add(streamOf(before, i), ggml.mul(x, oneWeight(weights, i)));
    return ggml.reshape(sum, nEmbd, 1, tokens);
  });
  return ggml.cast(
    rows.reduce((all, row) => ggml.concat(all, row, 1)),
    residual.type,
  );
}

/** `build_hc_head`. */
function head(g: GraphBuilder, all: Tensor): Tensor {
  const [nEmbd, streams, tokens] = all.ne;
  const mixes = g.mulMat(g.need('output_hc_fn.weight'), ggml.rmsNorm(ggml.reshape(all, streams * nEmbd, tokens)));
  const scaled = ggml.add(ggml.mul(mixes, g.need('output_hc_scale.weight')), g.need('output_hc_base.weight'));
  return weighted(all, ggml.scale(ggml.unary(scaled, 'sigmoid')));
}
