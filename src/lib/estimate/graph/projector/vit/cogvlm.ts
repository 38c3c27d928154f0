import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { fusedHeads } from './vit.js';

/** `clip_graph_cogvlm` (`tools/mtmd/models/cogvlm.cpp`, llama.cpp v0.5.0): norms after attention and feed-forward. */
export function cogvlm(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, ffn } = g.hparams;
  const withClass = ggml.concat(g.patchInput(), g.need('v.class_embd'), 1);
  let stream = ggml.add(withClass, g.need('v.position_embd.weight'));
  for (let layer = 0; layer < nLayer; layer++) {
    const attended = g.layerAttention(layer, fusedHeads(g, stream, layer, g.patches + 1, 1));
    const residual = ggml.add(g.layerNorm(attended, layer, 'ln1', 'layer'), stream);
    stream = ggml.add(g.layerNorm(g.layerFfn(residual, layer, ffn), layer, 'ln2', 'layer'), residual);
  }
  let cur = ggml.view2d(stream, nEmbd, g.patches, ggml.rowSize(stream, nEmbd), 0);
  cur = g.namedNorm(g.mulMat(g.need('mm.model.fc.weight'), cur), 'mm.post_fc_norm', 'layer');
  cur = ggml.unaryInplace(cur, 'gelu');
  const up = g.mulMat(g.need('mm.up.weight'), cur);
  const gate = ggml.glu(g.mulMat(g.need('mm.gate.weight'), cur), up, 'swiglu');
  cur = g.mulMat(g.need('mm.down.weight'), gate);
  return ggml.concat(ggml.concat(g.need('v.boi'), cur, 1), g.need('v.eoi'), 1);
}
