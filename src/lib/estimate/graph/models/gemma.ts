import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';

/** Logits squeezed into a range: three ops more over the whole vocabulary. */
export function softCap(logits: Tensor): Tensor {
  return ggml.scale(ggml.unary(ggml.scale(logits), 'tanh'));
}
