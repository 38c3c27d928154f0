import type { FfnOp } from '../../../model/projector/encoder-hparams.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';

export interface QueryLayerInputs {
  /** [embedding, queries, windows]. */
  readonly queries: Tensor;
  /** What they read: [width, positions, windows]. */
  readonly encoded: Tensor;
  readonly prefix: string;
  readonly nHead: number;
  readonly op: FfnOp;
  /** All windows in one matrix where weights are multiplied. */
  readonly isFlat: boolean;
}

/** A layer of Granite's Q-Former: queries look at one another, then at the window (`tools/mtmd/models/granite*.cpp`, llama.cpp v0.5.0). */
export function queryLayer(g: ClipGraph, { queries, encoded, prefix, nHead, op, isFlat }: QueryLayerInputs): Tensor {
  const [nEmbd, count, windows] = queries.ne;
  const linear = (cur: Tensor, name: string): Tensor => {
    const input = isFlat ? ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2]) : cur;
    return g.addBias(g.mulMat(g.need(`${prefix}.${name}.weight`), input), g.weight(`${prefix}.${name}.bias`));
  };
  const attended = (name: string, from: Tensor, to: Tensor): Tensor => {
    const head = (part: string, of: Tensor): Tensor =>
      ggml.reshape(linear(of, `${name}_${part}`), Math.floor(nEmbd / nHead), nHead, of.ne[1], windows);
    const out = g.attention(g.need(`${prefix}.${name}_out.weight`), g.weight(`${prefix}.${name}_out.bias`), {
      q: head('q', from),
      k: head('k', to),
      v: head('v', to),
    });
    const summed = ggml.add(ggml.reshape(out, nEmbd, count, windows), from);
    return g.namedNorm(summed, `${prefix}.${name}_norm`, 'layer');
  };
  const own = attended('self_attn', queries, queries);
  const crossed = attended('cross_attn', own, encoded);
  const hidden = ggml.unary(linear(crossed, 'ffn_up'), op === 'gelu' ? 'gelu' : 'gelu_erf');
  let fed = linear(hidden, 'ffn_down');
  if (isFlat) fed = ggml.reshape(fed, nEmbd, count, windows);
  return g.namedNorm(ggml.add(fed, crossed), `${prefix}.ffn_norm`, 'layer');
}
