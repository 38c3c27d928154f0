import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_internvl` (`tools/mtmd/models/internvl.cpp`, llama.cpp v0.5.0). */
export function internvl(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, nMerge } = g.hparams;
  const classEmbedding = g.need('v.class_embd');
  const input = g.patchInput();
  const classes = ggml.repeat(classEmbedding, [classEmbedding.ne[0], 1, g.batch, 1]);
  const norm = nEmbd === 3200 && nLayer === 45 ? 'rms' : 'layer';
  const positions = g.need('v.position_embd.weight');
  let cur = vit(g, ggml.concat(input, classes, 1), g.patches + 1, { norm, positions });

  cur = ggml.cont(ggml.view3d(cur, [nEmbd, g.patches, g.batch], cur.nb[1], cur.nb[2], 0));
  const [height, width] = [g.patchesY, g.patchesX];
  cur = ggml.permute(ggml.reshape(cur, nEmbd * nMerge, height / nMerge, width, g.batch), 0, 2, 1, 3);
  cur = ggml.contTo(cur, nEmbd * nMerge * nMerge, height / nMerge, width / nMerge, g.batch);
  cur = ggml.permute(cur, 0, 2, 1, 3);
  cur = ggml.contTo(cur, nEmbd * nMerge * nMerge, cur.ne[1] * cur.ne[2], cur.ne[3]);

  cur = g.namedNorm(cur, 'mm.model.mlp.0', 'layer');
  return g.ffn(cur, { up: 'mm.model.mlp.1', down: 'mm.model.mlp.3' }, 'gelu');
}
