import { spreadOver, streamMixes, streamSum } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';

/** A branch's input, how much of its output each stream gets, and how the streams are mixed. */
export interface Reduced {
  readonly cur: Tensor;
  readonly post: Tensor;
  readonly mixes: Tensor;
}

/** `build_hc_pre` (`src/models/deepseek4.cpp`, llama.cpp v0.5.0). */
export function reduceStreams(g: GraphBuilder, all: Tensor, layer: number, name: string): Reduced {
  const [nEmbd, streams, tokens] = all.ne;
  const flat = ggml.rmsNorm(ggml.reshape(all, streams * nEmbd, tokens));
  const mixes = ggml.mulMat(g.layerNeed(layer, `${name}_fn.weight`), flat);
  const scales = g.layerNeed(layer, `${name}_scale.weight`);
  const base = g.layerNeed(layer, `${name}_base.weight`);
  const rows = (index: number, width: number): Tensor => {
    const from = index * streams;
    const part = ggml.view2d(mixes, width, tokens, mixes.nb[1], ggml.rowSize(mixes, from));
    const scaled = ggml.mul(part, ggml.view1d(scales, 1, ggml.rowSize(scales, index)));
    return ggml.add(scaled, ggml.view1d(base, width, ggml.rowSize(base, from)));
  };
  const pre = ggml.scale(ggml.unary(rows(0, streams), 'sigmoid'));
  const post = ggml.scale(ggml.unary(rows(1, streams), 'sigmoid'));
  return { cur: weigh(g, all, pre, layer), post, mixes: mixesOf() };

  function mixesOf(): Tensor {
    if (!g.fused.has('hc-comb')) return sinkhorn(g, ggml.reshape(rows(2, streams * streams), streams, streams, tokens));
    return g.runsFused('hc-comb', streamMixes(mixes, scales, base, streams), layer);
  }
}

/** `build_hc_sinkhorn`: rows and columns are normed in turn. */
function sinkhorn(g: GraphBuilder, mixes: Tensor): Tensor {
  const epsilon = ggml.fill(ggml.newTensor(F32, 1));
  let cur = ggml.add(ggml.softMax(mixes), epsilon);
  const perColumn = (): void => {
    const sums = ggml.sumRows(ggml.cont(ggml.permute(cur, 1, 0, 2, 3)));
    cur = ggml.div(cur, ggml.permute(ggml.add(sums, epsilon), 1, 0, 2, 3));
  };
  perColumn();
  for (let i = 1; i < g.shape.keys.required('hyper_connection.sinkhorn_iterations'); i++) {
    cur = ggml.div(cur, ggml.add(ggml.sumRows(cur), epsilon));
    perColumn();
  }
  return cur;
}

/** The streams' sum, each with its weight; in the head (layer -1) never as one op. */
function weigh(g: GraphBuilder, all: Tensor, weights: Tensor, layer: number): Tensor {
  if (g.fused.has('hc-pre') && layer >= 0) return g.runsFused('hc-pre', streamSum(all, weights), layer);
  const terms = Array.from({ length: all.ne[1] }, (_, i) => ggml.mul(streamOf(all, i), oneWeight(weights, i)));
  return terms.reduce((sum, term) => ggml.add(sum, term));
}

/** `build_hc_post`: a branch's output onto every stream, and the streams mixed. */
export function spread(
  g: GraphBuilder,
  cur: Tensor,
  residual: Tensor,
  { post, mixes }: Reduced,
  layer: number,
): Tensor {
  if (g.fused.has('hc-post')) return g.runsFused('hc-post', spreadOver(cur, residual, post, mixes), layer);
  const [nEmbd, streams, tokens] = residual.ne;
  const rows = Array.from({ length: streams }, (_, to) => {
    let sum = ggml.mul(cur, oneWeight(post, to));
    for (let from = 0; from < streams; from++) {
      const offset = to * mixes.nb[0] + from * mixes.nb[1];
      const share = ggml.view2d(mixes, 1, tokens, mixes.nb[2], offset);
      sum = ggml.add(sum, ggml.mul(streamOf(residual, from), share));
    }
    return ggml.reshape(sum, nEmbd, 1, tokens);
  });
  return rows.reduce((all, row) => ggml.concat(all, row, 1));
}

/** `build_hc_head`. */
export function streamsHead(g: GraphBuilder, all: Tensor): Tensor {
  const [nEmbd, streams, tokens] = all.ne;
  const flat = ggml.rmsNorm(ggml.reshape(all, streams * nEmbd, tokens));
  const mixes = ggml.mulMat(g.need('output_hc_fn.weight'), flat);
  const scaled = ggml.add(ggml.mul(mixes, g.need('output_hc_scale.weight')), g.need('output_hc_base.weight'));
  return weigh(g, all, ggml.scale(ggml.unary(scaled, 'sigmoid')), -1);
}

export function streamOf(all: Tensor, index: number): Tensor {
  return ggml.view2d(all, all.ne[0], all.ne[2], all.nb[2], index * all.nb[1]);
}

export function oneWeight(weights: Tensor, index: number): Tensor {
  return ggml.view2d(weights, 1, weights.ne[1], weights.nb[1], index * weights.nb[0]);
}
