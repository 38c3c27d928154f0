import { interpolate } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_kimivl` (`tools/mtmd/models/kimivl.cpp`, llama.cpp v0.5.0). */
export function kimivl(g: ClipGraph): Tensor {
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  const positions = g.resizedPositions();
  const input = g.patchInput();
  const rotate = (head: Tensor): Tensor => g.rope2d(head, columns, rows);
  return merged(g, vit(g, input, g.patches, { norm: 'layer', positions, rotate }));
}

/** `clip_graph_kimik25` (`tools/mtmd/models/kimik25.cpp`): the same with a table of positions by row and column. */
export function kimik25(g: ClipGraph): Tensor {
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  const positions = resizedTable(g);
  const input = ggml.add(g.patchInput(), positions);
  return merged(g, vit(g, input, g.patches, { norm: 'layer', rotate: (head) => g.rope2d(head, columns, rows) }));
}

/** `resize_position_embeddings_3d`. */
function resizedTable(g: ClipGraph): Tensor {
  const { nEmbd } = g.hparams;
  const table = g.need('v.position_embd.weight');
  if (g.patchesY === table.ne[2] && g.patchesX === table.ne[1]) return ggml.contTo(table, nEmbd, g.patches);
  const resized = interpolate(ggml.permute(table, 2, 1, 0, 3), g.patchesY, g.patchesX, nEmbd, 1);
  return ggml.contTo(ggml.permute(resized, 2, 1, 0, 3), nEmbd, g.patches);
}

/** Patches merged, normed each by itself, and projected. */
function merged(g: ClipGraph, encoded: Tensor): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  let cur = g.mergePatches(encoded, nMerge);
  const width = cur.ne[0];
  cur = ggml.view2d(cur, nEmbd, cur.ne[1] * nMerge * nMerge, ggml.rowSize(cur, nEmbd), 0);
  cur = ggml.add(ggml.mul(ggml.norm(cur), g.need('mm.input_norm.weight')), g.need('mm.input_norm.bias'));
  cur = ggml.view2d(cur, width, cur.ne[1] / nMerge / nMerge, ggml.rowSize(cur, width), 0);
  return g.ffn(cur, { up: 'mm.1', down: 'mm.2' }, 'gelu');
}
