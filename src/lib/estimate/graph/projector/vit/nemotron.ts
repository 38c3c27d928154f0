import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from './vit.js';

/** `clip_graph_nemotron_v2_vl` (`tools/mtmd/models/nemotron-v2-vl.cpp`, llama.cpp v0.5.0). */
export function nemotron(g: ClipGraph): Tensor {
  const { nEmbd, nMerge } = g.hparams;
  const registers = g.need('v.class_embd');
  const count = registers.ne[1];
  const input = ggml.add(g.patchInput(), g.need('v.position_embd.weight'));
  let cur = vit(g, ggml.concat(registers, input, 1), g.patches + count, { norm: 'layer' });
  const rowBytes = ggml.rowSize(cur, nEmbd);
  cur = g.mergePatches(ggml.view2d(cur, nEmbd, g.patches, rowBytes, count * rowBytes), nMerge);
  cur = g.norm(cur, g.need('mm.model.mlp.0.weight'), null, 'rms');
  return g.ffn(cur, { up: 'mm.model.mlp.1', down: 'mm.model.mlp.3' }, 'relu_sqr');
}
