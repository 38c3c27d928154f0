import { im2col } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { vit } from './vit/vit.js';
import { M_ROPE_SECTIONS } from './windowed/qwen-vl.js';

/** Learned, and placed between the patches. */
const SENTINELS = ['v.token_embd.img_start', 'v.token_embd.img_end', 'v.image_newline', 'v.token_embd.img_pad'];

/** Tokens of an image with what begins, ends and separates its rows: `dsv4_get_block_layout` (`tools/mtmd/clip-impl.h`). */
export function blockTokens(columns: number, rows: number): number {
  const even = rows + (rows % 2);
  const length = columns + 1;
  return 1 + even * length + (((even / 2) * length) % 2) * 2 + 1;
}

/** `clip_graph_deepseek4v` (`tools/mtmd/models/deepseek4v.cpp`, llama.cpp v0.5.0). */
export function deepseek4v(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const positions = g.positions(g.patches * M_ROPE_SECTIONS);
  const input = g.patchInput();
  let cur = vit(g, input, g.patches, { norm: 'rms', rotate: (head) => ggml.rope(head, positions) });

  cur = ggml.cont(ggml.permute(ggml.reshape(cur, nEmbd, g.patchesX, g.patchesY), 2, 0, 1, 3));
  const [columns, rows] = [Math.ceil(g.patchesX / nMerge), Math.ceil(g.patchesY / nMerge)];
  const [width, height] = [columns * nMerge, rows * nMerge];
  if (width !== g.patchesX || height !== g.patchesY) cur = ggml.padTo(cur, [width, height, nEmbd, 1]);
  const kernel = ggml.view3d(cur, [nMerge, nMerge, nEmbd], 0, 0, 0);
  cur = im2col(kernel, cur, { stride: nMerge, padding: 0 }, true, input.type);
  cur = ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2]);
  cur = g.ffn(cur, { up: 'mm.1', down: 'mm.2' }, 'gelu_erf');

  for (const name of SENTINELS) cur = ggml.concat(cur, ggml.reshape(g.need(name), cur.ne[0], 1), 1);
  return ggml.getRows(cur, g.positions(blockTokens(columns, rows)));
}
