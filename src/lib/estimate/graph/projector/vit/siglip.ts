import { pool2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_siglip` (`tools/mtmd/models/siglip.cpp`, llama.cpp v0.5.0). */
export function siglip(g: ClipGraph): Tensor {
  const input = g.patchInput();
  const resized = g.type === 'lfm2' || g.type === 'phi4';
  const positions = resized ? g.resizedPositions() : g.own('position_embd.weight');
  return PROJECT[g.type as SiglipType](g, vit(g, input, g.patches, { norm: 'layer', positions }));
}

type SiglipType = 'gemma3' | 'idefics3' | 'lfm2' | 'janus_pro' | 'phi4';

const PROJECT: Readonly<Record<SiglipType, (g: ClipGraph, cur: Tensor) => Tensor>> = {
  gemma3(g, cur) {
    const { nEmbd, nMerge } = g.hparams;
    const grid = ggml.contTo(ggml.transpose(cur), g.patchesX, g.patchesX, nEmbd, 1);
    const pooled = pool2d(grid, nMerge);
    const flat = ggml.cont(ggml.transpose(ggml.reshape(pooled, pooled.ne[0] ** 2, nEmbd, 1)));
    const normed = ggml.mul(ggml.rmsNorm(flat), g.need('mm.soft_emb_norm.weight'));
    return ggml.mulMat(ggml.cont(ggml.transpose(g.need('mm.input_projection.weight'))), normed);
  },
  idefics3(g, cur) {
    return g.mulMat(g.need('mm.model.fc.weight'), g.mergePatches(cur, g.hparams.nMerge));
  },
  lfm2(g, cur) {
    cur = g.mergePatches(cur, g.hparams.nMerge);
    const weight = g.weight('mm.input_norm.weight');
    if (weight) cur = ggml.mul(ggml.norm(cur), weight);
    cur = g.addBias(cur, g.weight('mm.input_norm.bias'));
    return g.ffn(cur, { up: 'mm.1', down: 'mm.2' }, 'gelu');
  },
  janus_pro(g, cur) {
    return g.ffn(cur, { up: 'mm.0', down: 'mm.1' }, g.hparams.ffn);
  },
  phi4(g, cur) {
    return g.ffn(cur, { up: 'mm.0', down: 'mm.2' }, 'gelu');
  },
};
