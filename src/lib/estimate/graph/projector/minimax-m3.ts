import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { vit } from './vit/vit.js';
import { inBlocks, temporalInput } from './windowed/qwen-vl.js';

/** `clip_graph_minimax_m3` (`tools/mtmd/models/minimax-m3.cpp`, llama.cpp v0.5.0). */
export function minimaxM3(g: ClipGraph): Tensor {
  const { nMerge } = g.hparams;
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  const input = inBlocks(g, ggml.permute(temporalInput(g), 1, 2, 0, 3), nMerge);
  const encoded = vit(g, input, g.patches, {
    norm: 'layer',
    ffn: 'gelu_erf',
    rotate: (head) => g.rope2d(head, rows, columns),
  });
  const projected = g.ffn(encoded, { up: 'mm.1', down: 'mm.2' }, 'gelu_erf');
  const square = nMerge * nMerge;
  const merged = ggml.reshape(projected, projected.ne[0] * square, g.patches / square);
  return g.ffn(merged, { up: 'mm.merger.fc1', down: 'mm.merger.fc2' }, 'gelu_erf');
}
