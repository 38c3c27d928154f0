import { im2col } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_pixtral` (`tools/mtmd/models/pixtral.cpp`, llama.cpp v0.5.0): Pixtral, Mistral Small, LightOnOCR. */
export function pixtral(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  const input = g.patchInput();
  let cur = vit(g, input, g.patches, { norm: 'rms', rotate: (head) => g.rope2d(head, rows, columns) });

  const merger = g.weight('mm.patch_merger.weight');
  if (merger) {
    cur = ggml.mul(ggml.rmsNorm(cur), g.need('mm.input_norm.weight'));
    cur = ggml.cont(ggml.permute(ggml.reshape(cur, nEmbd, g.patchesX, g.patchesY), 2, 0, 1, 3));
    const kernel = ggml.view3d(cur, [nMerge, nMerge, cur.ne[2]], 0, 0, 0);
    cur = im2col(kernel, cur, { stride: nMerge, padding: 0 }, true, input.type);
    cur = g.mulMat(merger, ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2]));
  }
  cur = g.ffn(cur, { up: 'mm.1', down: 'mm.2' }, 'gelu');
  const rowBreak = g.weight('v.token_embd.img_break');
  return rowBreak ? withRowBreaks(g, cur, rowBreak) : cur;
}

/** A token after each row of the image but the last. */
function withRowBreaks(g: ClipGraph, cur: Tensor, rowBreak: Tensor): Tensor {
  const [x, y] = [Math.floor(g.patchesX / g.hparams.nMerge), Math.floor(g.patchesY / g.hparams.nMerge)];
  const width = cur.ne[0];
  const grid = ggml.reshape(cur, width, x, y);
  const breaks = ggml.add(ggml.scale(ggml.newTensor(grid.type, width, 1, y)), rowBreak);
  const joined = ggml.concat(grid, breaks, 1);
  return ggml.view2d(joined, width, x * y + y - 1, ggml.rowSize(joined, width), 0);
}
