import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';

/**
 * Embeddings that each layer of Gemma 3n and the small Gemma 4 models adds, [width, tokens, layers]: `build_inp_per_layer`
 * and `project_per_layer_inputs` (`src/models/gemma3n.cpp`, `src/models/gemma4.cpp`, llama.cpp v0.5.0).
 */
export function perLayerInputs(
  g: GraphBuilder,
  embeddings: Tensor,
  width: number,
  looked: Tensor | null = null,
): Tensor {
  const layers = g.hparams.nLayer;
  const shaped = (rows: Tensor): Tensor => ggml.reshape(rows, width, layers, g.nTokens);
  const selected = looked ? shaped(ggml.scale(looked)) : g.expand(ggml.scale(shaped(perLayerRows(g))));
  let projected = ggml.scale(g.mulMat(g.need('per_layer_model_proj.weight'), embeddings));
  projected = ggml.reshape(projected, width, layers, g.nTokens);
  projected = g.norm(projected, g.need('per_layer_proj_norm.weight'), null, 'rms', -1);
  const sum = ggml.scale(ggml.add(projected, selected));
  return ggml.cont(ggml.permute(sum, 0, 2, 1, 3));
}

/** `build_inp_per_layer`; Gemma 4 looks them up before anything else from b11435..b11548 on. */
export function perLayerRows(g: GraphBuilder): Tensor {
  return ggml.getRows(g.need('per_layer_token_embd.weight'), ggml.newInput(I32, g.nTokens));
}

/** `gemma4_view_2d_slice`: one of the matrices of [rows, tokens, count]. */
export function slice(matrices: Tensor, index: number): Tensor {
  const [width, rows] = matrices.ne;
  const row = ggml.rowSize(matrices, width);
  return ggml.view2d(matrices, width, rows, row, index * width * rows * F32.bytesPerBlock);
}
