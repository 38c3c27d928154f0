import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';

/** Every n-th layer, and the last, sees everything: `muse_glimmer_sparse_factor`. */
const GLOBAL_EVERY = 4;

/** `clip_graph_muse_glimmer` (`tools/mtmd/models/muse-glimmer.cpp`, llama.cpp v0.5.0). */
export function museGlimmer(g: ClipGraph): Tensor {
  const { nEmbd, nLayer, nMerge } = g.hparams;
  const tokens = g.patches;
  const [columns, rows, toWindows, back, toSquares] = Array.from({ length: 5 }, () => g.positions(tokens)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const window = ggml.newInput(F32, tokens, tokens);
  const placed = ggml.add(g.patchInput(), g.resizedPositions());
  const isGlobal = (layer: number): boolean => layer === nLayer - 1 || (layer + 1) % GLOBAL_EVERY === 0;
  let cur = vit(g, ggml.getRows(placed, toWindows), tokens, {
    norm: 'layer',
    ffn: 'gelu_erf',
    rotate: (head) => g.rope2d(head, columns, rows),
    mask: (layer) => (isGlobal(layer) ? null : window),
  });
  cur = ggml.getRows(ggml.getRows(cur, back), toSquares);

  const square = nMerge * nMerge;
  const merged = Math.floor(g.patchesX / nMerge) * Math.floor(g.patchesY / nMerge);
  cur = ggml.cont(ggml.permute(ggml.reshape(cur, nEmbd, square, merged), 1, 0, 2, 3));
  cur = ggml.reshape(cur, nEmbd * square, merged);
  for (const name of ['mm.0.weight', 'mm.1.weight']) cur = ggml.unary(g.mulMat(g.need(name), cur), 'gelu_erf');
  return g.mulMat(g.need('mm.2.weight'), cur);
}
