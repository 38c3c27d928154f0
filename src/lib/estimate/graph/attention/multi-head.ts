import * as ggml from '../../ggml/ops/ops.js';
import { F16, F32, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';

export interface AttentionOptions {
  readonly bias?: Tensor | null;
  readonly sinks?: Tensor | null;
  /** Decompresses latent attention's values; K's rows hold V then. */
  readonly valueUp?: Tensor | null;
  /** Takes the cache's mask's place; of the cells that it leaves, at most so many. */
  readonly mask?: Tensor;
  readonly cellsLeft?: number;
  /** Tensor names of the output projection; null = none here. */
  readonly output?: string | null;
}

/** `build_attn_mha`. */
export function multiHead(
  g: GraphBuilder,
  layer: number,
  qkv: { q: Tensor; k: Tensor; v: Tensor },
  mask: Tensor,
  options: AttentionOptions,
): Tensor {
  const { bias = null, sinks = null, valueUp = null, cellsLeft = 0 } = options;
  const transposed = qkv.v.nb[1] > qkv.v.nb[2];
  const streams = qkv.k.ne[3];
  const { ne, nb } = qkv.q;
  const perStream = ggml.view4d(qkv.q, [ne[0], ne[1], ne[2] / streams, streams], nb[1], nb[2], nb[3] / streams, 0);
  const q = ggml.permute(perStream, 0, 2, 1, 3);
  const k = ggml.permute(qkv.k, 0, 2, 1, 3);
  const v = ggml.permute(qkv.v, 0, 2, 1, 3);
  const cur =
    g.flashAttn && !bias
      ? flash(g, layer, q, k, transposed ? ggml.transpose(v) : v, mask, sinks, valueUp, cellsLeft)
      : softmaxAttention(g, q, k, transposed ? v : null, v, mask, bias, sinks, valueUp);
  return g.expand(cur);
}

function flash(
  g: GraphBuilder,
  layer: number,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor,
  sinks: Tensor | null,
  valueUp: Tensor | null,
  cellsLeft: number,
): Tensor {
  const half = (tensor: Tensor): Tensor => (tensor.type === F32 ? ggml.cast(tensor, F16) : tensor);
  let cur = ggml.flashAttnExt(q, half(k), half(v), mask, sinks);
  cur.cellsLeft = cellsLeft;
  g.runsFused('flash-attention', cur, layer);
  if (valueUp) {
    cur = ggml.mulMat(valueUp, ggml.permute(cur, 0, 2, 1, 3));
    cur = ggml.cont(ggml.permute(cur, 0, 2, 1, 3));
  }
  return ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2] * cur.ne[3]);
}

function softmaxAttention(
  g: GraphBuilder,
  q: Tensor,
  k: Tensor,
  vTransposed: Tensor | null,
  v: Tensor,
  mask: Tensor,
  bias: Tensor | null,
  sinks: Tensor | null,
  valueUp: Tensor | null,
): Tensor {
  let scores = ggml.mulMat(k, q);
  scores.variant = 'f32';
  if (g.hparams.attnSoftCap) scores = ggml.scale(ggml.unary(ggml.scale(scores), 'tanh'));
  if (bias) scores = ggml.add(scores, bias);
  scores = ggml.softMax(scores, mask, sinks, false);
  let cur = ggml.mulMat(vTransposed ?? ggml.cont(ggml.transpose(v)), scores);
  if (valueUp) cur = ggml.mulMat(valueUp, cur);
  cur = ggml.permute(cur, 0, 2, 1, 3);
  cur = ggml.contTo(cur, cur.ne[0] * cur.ne[1], cur.ne[2] * cur.ne[3]);
  if (!g.offloadKqv) g.pinToCpu(cur);
  return cur;
}
