import { im2col, pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `build_mm` of Gemma 4 clamps what goes into each matrix and what comes out: `Gemma4ClippableLinear`. */
export class ClampedClipGraph extends ClipGraph {
  override mulMat(weight: Tensor, cur: Tensor): Tensor {
    return ggml.clamp(super.mulMat(weight, ggml.clamp(cur)));
  }
}

/** Tables of positions, one for each coordinate; both are looked up and added. */
function addPositions(g: ClipGraph, input: Tensor, x: Tensor, y: Tensor): Tensor {
  const { nEmbd } = g.hparams;
  const table = g.need('v.position_embd.weight');
  const rows = table.ne[1];
  const rowBytes = ggml.rowSize(table, nEmbd);
  const columns = ggml.getRows(ggml.view2d(table, nEmbd, rows, rowBytes, 0), x);
  const lines = ggml.getRows(ggml.view2d(table, nEmbd, rows, rowBytes, rows * rowBytes), y);
  return ggml.add(ggml.add(input, columns), lines);
}

/** `clip_graph_gemma4v` (`tools/mtmd/models/gemma4v.cpp`, llama.cpp v0.5.0). */
export function gemma4v(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const scaled = ggml.scale(g.rawInput());
  const conv = g.patchConv(g.need('v.patch_embd.weight'), scaled);
  let input = ggml.cont(ggml.transpose(ggml.reshape(conv, g.patches, nEmbd, g.batch)));
  const x = g.positions(g.patches);
  const y = g.positions(g.patches);
  input = addPositions(g, input, x, y);
  let cur = vit(g, input, g.patches, { norm: 'rms', rotate: (head) => g.rope2d(head, x, y) });

  const grid = ggml.contTo(ggml.transpose(cur), g.patchesX, g.patchesY, nEmbd, g.batch);
  const tokens = Math.floor(g.patchesX / nMerge) * Math.floor(g.patchesY / nMerge);
  cur = ggml.reshape(pool2d(grid, nMerge), tokens, nEmbd, g.batch);
  cur = ggml.scale(ggml.cont(ggml.transpose(cur)));
  const bias = g.weight('v.std_bias');
  const scale = g.weight('v.std_scale');
  if (bias && scale) cur = ggml.mul(ggml.sub(cur, bias), scale);
  return g.mulMat(g.need('mm.input_projection.weight'), ggml.rmsNorm(cur));
}

/** `clip_graph_gemma4uv` (`tools/mtmd/models/gemma4uv.cpp`): no layers, patches are projected as they are. */
export function gemma4uv(g: ClipGraph): Tensor {
  const { patchSize } = g.hparams;
  const raw = g.rawInput();
  const kernel = ggml.newTensor(F32, patchSize, patchSize, raw.ne[2]);
  let cur = im2col(kernel, raw, { stride: patchSize, padding: 0 }, true, raw.type);
  cur = ggml.reshape(cur, cur.ne[0], cur.ne[1] * cur.ne[2] * cur.ne[3]);
  cur = g.namedNorm(cur, 'v.patch_norm.1', 'layer');
  cur = ggml.add(ggml.mulMat(g.need('v.patch_embd.weight'), cur), g.need('v.patch_embd.bias'));
  cur = g.namedNorm(cur, 'v.patch_norm.2', 'layer');
  const x = g.positions(g.patches);
  const y = g.positions(g.patches);
  cur = g.namedNorm(addPositions(g, cur, x, y), 'v.patch_norm.3', 'layer');
  return g.mulMat(g.need('mm.input_projection.weight'), ggml.rmsNorm(cur));
}

/** `clip_graph_gemma4ua` (`tools/mtmd/models/gemma4ua.cpp`): frames of the waveform are projected as they are. */
export function gemma4ua(g: ClipGraph): Tensor {
  const frames = ggml.cont(ggml.permute(g.rawInput(1), 1, 0, 2, 3));
  return g.mulMat(g.need('mm.a.input_projection.weight'), ggml.rmsNorm(frames));
}
