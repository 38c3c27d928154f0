import { conv2d } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { inBlocks, M_ROPE_SECTIONS } from './windowed/qwen-vl.js';
import { vit } from './vit/vit.js';

/** `clip_graph_glm4v` (`tools/mtmd/models/glm4v.cpp`, llama.cpp v0.5.0): GLM-4V and GLM-OCR. */
export function glm4v(g: ClipGraph): Tensor {
  const { nEmbd, nMerge, ffn } = g.hparams;
  const raw = g.rawInput();
  const first = g.patchConv(g.need('v.patch_embd.weight'), raw);
  const positions = g.positions(g.patches * M_ROPE_SECTIONS);
  const both = ggml.add(first, g.patchConv(g.need('v.patch_embd.weight.1'), raw));
  let input = inBlocks(g, ggml.permute(both, 1, 2, 0, 3));
  input = ggml.add(input, g.need('v.patch_embd.bias'));
  input = g.namedNorm(input, 'v.norm_embd', 'rms');
  const learned = g.own('position_embd.weight') && inBlocks(g, g.resizedPositions());
  let cur = vit(g, input, g.patches, {
    norm: 'rms',
    positions: learned,
    rotate: (head) => ggml.rope(head, positions),
  });

  const tokens = Math.floor(g.patches / nMerge / nMerge);
  cur = ggml.cont(ggml.permute(ggml.reshape(cur, nEmbd, nMerge, nMerge, tokens), 2, 0, 1, 3));
  cur = conv2d(g.need('mm.patch_merger.weight'), cur, { stride: nMerge, padding: 0 });
  cur = ggml.add(ggml.reshape(cur, cur.ne[2], tokens), g.need('mm.patch_merger.bias'));
  cur = g.mulMat(g.need('mm.model.fc.weight'), cur);
  cur = ggml.unary(g.namedNorm(cur, 'mm.post_norm', 'layer'), 'gelu_erf');
  return g.ffn(cur, { up: 'mm.up', gate: 'mm.gate', down: 'mm.down' }, ffn);
}
