import { conv2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';

/** Frames that are convolved together. */
const CHUNK = 100;

/** `clip_graph_qwen3a` (`tools/mtmd/models/qwen3a.cpp`, llama.cpp v0.5.0): Qwen3-ASR and Qwen3-Omni. */
export function qwen3a(g: ClipGraph): Tensor {
  const raw = g.rawInput(1);
  const [frames, bins] = raw.ne;
  const chunks = Math.floor(frames / CHUNK);
  const step = CHUNK * 4;
  const input = ggml.cont(ggml.view4d(raw, [CHUNK, bins, 1, chunks], frames * 4, step, step, 0));
  const rows = g.addBias(convolvedRows(g, input), g.weight('a.conv_out.bias'));
  const table = g.need('a.position_embd.weight');
  const nPos = rows.ne[1];
  const ofChunk = ggml.view2d(table, table.ne[0], Math.floor(nPos / chunks), table.nb[1], 0);
  const placed = ggml.add(rows, ggml.repeat(ofChunk, [table.ne[0], nPos, 1, 1]));
  return g.ffn(vit(g, placed, nPos, { norm: 'layer' }), { up: 'mm.a.mlp.1', down: 'mm.a.mlp.2' }, 'gelu_erf');
}

/** `clip_graph_dots3note_a` (`tools/mtmd/models/dots3note.cpp`). */
export function dots3noteAudio(g: ClipGraph): Tensor {
  const rows = convolvedRows(g, g.rawInput(1));
  const positions = g.positions(rows.ne[1]);
  const encoded = vit(g, rows, rows.ne[1], { norm: 'rms', rotate: (head) => ggml.rope(head, positions) });
  const normed = g.namedNorm(encoded, 'mm.a.norm_pre', 'layer');
  return g.ffn(normed, { up: 'mm.a.mlp.1', down: 'mm.a.mlp.3' }, 'gelu_erf');
}

/** Three convolutions, each halving frames and frequencies; then a row for each frame. */
function convolvedRows(g: ClipGraph, input: Tensor): Tensor {
  let cur = input;
  for (const number of [1, 2, 3]) {
    cur = conv2d(g.need(`a.conv2d.${number}.weight`), cur, { stride: 2, padding: 1 });
    const bias = g.weight(`a.conv2d.${number}.bias`);
    if (bias) cur = ggml.add(cur, ggml.reshape(bias, 1, 1, cur.ne[2], 1));
    cur = ggml.unary(cur, 'gelu_erf');
  }
  cur = ggml.cont(ggml.permute(cur, 2, 0, 1, 3));
  cur = ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2] * cur.ne[3]);
  return ggml.mulMat(g.need('a.conv_out.weight'), cur);
}
