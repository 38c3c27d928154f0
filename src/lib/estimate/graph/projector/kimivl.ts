import * as ggml from '../../ggml/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_kimivl` (`tools/mtmd/models/kimivl.cpp`, llama.cpp v0.5.0). */
export function kimivl(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  const positions = g.resizedPositions();
  const input = g.patchInput();
  let cur = vit(g, input, g.patches, { norm: 'layer', positions, rotate: (head) => g.rope2d(head, columns, rows) });

  cur = g.mergePatches(cur, nMerge);
  const width = cur.ne[0];
  cur = ggml.view2d(cur, nEmbd, cur.ne[1] * nMerge * nMerge, ggml.rowSize(cur, nEmbd), 0);
  cur = ggml.add(ggml.mul(ggml.norm(cur), g.need('mm.input_norm.weight')), g.need('mm.input_norm.bias'));
  cur = ggml.view2d(cur, width, cur.ne[1] / nMerge / nMerge, ggml.rowSize(cur, width), 0);
  return g.ffn(cur, { up: 'mm.1', down: 'mm.2' }, 'gelu');
}
