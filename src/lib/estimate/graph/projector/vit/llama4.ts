import { im2col } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_llama4` (`tools/mtmd/models/llama4.cpp`, llama.cpp v0.5.0). */
export function llama4(g: ClipGraph): Tensor {
  const { nEmbd, nMerge, patchSize } = g.hparams;
  const nPos = g.patches + 1;
  const rows = g.positions(nPos);
  const columns = g.positions(nPos);

  const raw = g.rawInput();
  const weight = g.need('v.patch_embd.weight');
  const kernel = ggml.reshape(weight, patchSize, patchSize, 3, nEmbd);
  const unfolded = im2col(kernel, raw, { stride: patchSize, padding: 0 }, true, raw.type);
  const input = ggml.reshape(g.mulMat(weight, unfolded), nEmbd, g.patches);
  let cur = vit(g, ggml.concat(input, g.need('v.class_embd'), 1), nPos, {
    norm: 'layer',
    positions: g.need('v.position_embd.weight'),
    rotate: (head) => g.rope2d(head, columns, rows),
  });

  cur = ggml.view2d(cur, nEmbd, g.patches, ggml.rowSize(cur, nEmbd), 0);
  cur = ggml.permute(ggml.reshape(cur, nEmbd * nMerge, g.patchesX / nMerge, g.patchesY, 1), 0, 2, 1, 3);
  cur = ggml.contTo(cur, nEmbd * nMerge * nMerge, g.patchesX / nMerge, g.patchesY / nMerge, 1);
  cur = ggml.contTo(cur, nEmbd * nMerge * nMerge, g.patches / nMerge / nMerge);

  cur = ggml.unary(g.mulMat(g.need('mm.model.mlp.1.weight'), cur), 'gelu');
  cur = ggml.unary(g.mulMat(g.need('mm.model.mlp.2.weight'), cur), 'gelu');
  return g.mulMat(g.need('mm.model.fc.weight'), cur);
}
