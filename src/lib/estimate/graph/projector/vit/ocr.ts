import { conv2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { M_ROPE_SECTIONS } from '../windowed/qwen-vl.js';
import { vit } from './vit.js';

/** `clip_graph_paddleocr` (`tools/mtmd/models/paddleocr.cpp`, llama.cpp v0.5.0). */
export function paddleocr(g: ClipGraph): Tensor {
  const { nMerge, ffn } = g.hparams;
  const positions = g.positions(g.patches * M_ROPE_SECTIONS);
  const learned = g.resizedPositions();
  const input = g.patchInput();
  const rotate = (head: Tensor): Tensor => ggml.rope(head, positions);
  const cur = g.namedNorm(
    vit(g, input, g.patches, { norm: 'layer', positions: learned, rotate }),
    'mm.input_norm',
    'layer',
  );
  return g.ffn(g.mergePatches(cur, nMerge), { up: 'mm.1', down: 'mm.2' }, ffn);
}

/** `clip_graph_dotsocr` (`tools/mtmd/models/dotsocr.cpp`). */
export function dotsocr(g: ClipGraph): Tensor {
  const positions = g.positions(g.patches * M_ROPE_SECTIONS);
  const input = g.patchInput();
  const rotate = (head: Tensor): Tensor => ggml.rope(head, positions);
  const encoded = vit(g, input, g.patches, { norm: 'rms', rotate, postNorm: 'mm.post_norm.weight' });
  const cur = g.namedNorm(encoded, 'mm.input_norm', 'layer');
  return g.ffn(g.mergePatches(cur, g.hparams.nMerge), { up: 'mm.0', down: 'mm.2' }, 'gelu_erf');
}

/** `clip_graph_hunyuanvl` (`tools/mtmd/models/hunyuanvl.cpp`). */
export function hunyuanvl(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const [width, height] = [g.patchesX, g.patchesY];
  const positions = ggml.newInput(F32, nEmbd, height * width);
  let cur = vit(g, g.patchInput(), g.patches, { norm: 'layer', positions });
  cur = g.norm(cur, g.need('mm.pre_norm.weight'), null, 'rms');
  cur = ggml.cont(ggml.permute(ggml.reshape(cur, nEmbd, width, height), 2, 0, 1, 3));
  const convolved = (name: string, input: Tensor, stride: number): Tensor => {
    const conv = conv2d(g.need(`${name}.weight`), input, { stride, padding: 0 });
    const bias = g.weight(`${name}.bias`);
    return bias ? ggml.add(conv, ggml.reshape(bias, 1, 1, bias.ne[0])) : conv;
  };
  cur = convolved('mm.2', ggml.unary(convolved('mm.0', cur, nMerge), 'gelu'), 1);
  const [columns, rows, channels] = [Math.floor(width / nMerge), Math.floor(height / nMerge), cur.ne[2]];
  const newline = ggml.reshape(g.need('v.image_newline'), 1, 1, channels, 1);
  cur = ggml.concat(cur, ggml.repeat(newline, [1, rows, channels, 1]), 0);
  cur = ggml.contTo(ggml.permute(cur, 1, 2, 0, 3), channels, (columns + 1) * rows);
  cur = g.addBias(g.mulMat(g.need('mm.model.fc.weight'), cur), g.weight('mm.model.fc.bias'));
  const row = (name: string): Tensor => {
    const tensor = g.need(name);
    return ggml.reshape(tensor, tensor.ne[0], 1);
  };
  cur = ggml.concat(ggml.concat(row('mm.image_begin'), cur, 1), row('mm.image_end'), 1);
  return g.norm(cur, g.need('mm.post_norm.weight'), null, 'rms');
}
