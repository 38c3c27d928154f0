import type { Tensor } from '../ggml/tensor.js';
import type { GraphBuilder } from './builder.js';
import * as ggml from '../ggml/ops/ops.js';

/**
 * `crop_before_nextn` (`src/llama-graph.h`): from b11435..b12032 on, rows without output are dropped inside the last layer,
 * after its attention, where no draft head reads them.
 */
export function cropEarly(g: GraphBuilder, layer: number, cur: Tensor, outIds: Tensor): Tensor {
  return g.isLast(layer) && dropsEarly(g) ? g.pickOutputs(cur, outIds) : cur;
}

/** `crop_after_nextn`: before, they were dropped only when what a draft head might read had been kept. */
export function cropLate(g: GraphBuilder, cur: Tensor, outIds: Tensor): Tensor {
  return dropsEarly(g) ? cur : g.pickOutputs(cur, outIds);
}

/** Rows without output are dropped inside the last layer although others keep them for a draft head. */
export function dropsEarly(g: GraphBuilder): boolean {
  return g.params.llama.cropsEarly || !g.keepsHidden;
}

/** All rows of the final norm are kept for a draft head. */
export function finishKeepingHidden(g: GraphBuilder, cur: Tensor, outIds: Tensor): void {
  const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
  g.keepHidden(normed);
  const picked = cropLate(g, normed, outIds);
  g.embeddings = picked;
  g.finish(g.mulMat(g.outputHead(), picked, g.weight('output.scale')));
}

/** Logits squeezed into a range: three ops more over the whole vocabulary. */
export function softCap(logits: Tensor): Tensor {
  return ggml.scale(ggml.unary(ggml.scale(logits), 'tanh'));
}
