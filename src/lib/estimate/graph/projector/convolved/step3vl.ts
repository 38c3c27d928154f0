import { conv2d } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';

const HALVES = { stride: 2, padding: 1 };

/** `clip_graph_step3vl` (`tools/mtmd/models/step3vl.cpp`, llama.cpp v0.5.0). */
export function step3vl(g: ClipGraph): Tensor {
  const rows = g.positions(g.patches);
  const columns = g.positions(g.patches);
  let cur = vit(g, g.patchInput(), g.patches, {
    norm: 'layer',
    positions: g.resizedPositions(),
    rotate: (head) => g.rope2d(head, columns, rows),
  });
  cur = ggml.contTo(ggml.permute(cur, 1, 0, 2, 3), g.patchesX, g.patchesY, g.hparams.nEmbd);
  for (const name of ['mm.0', 'mm.1']) {
    cur = withChannelBias(conv2d(g.need(`${name}.weight`), cur, HALVES), g.weight(`${name}.bias`));
  }
  const [width, height, channels, images] = cur.ne;
  cur = ggml.cont(ggml.permute(ggml.reshape(cur, width * height, channels, images), 1, 0, 2, 3));
  return ggml.mulMat(g.need('mm.model.fc.weight'), cur);
}

function withChannelBias(cur: Tensor, bias: Tensor | null): Tensor {
  if (!bias) return cur;
  const [width, height, channels] = cur.ne;
  const rows = ggml.cont(ggml.transpose(ggml.reshape(cur, width * height, channels)));
  return ggml.reshape(ggml.cont(ggml.transpose(ggml.add(rows, bias))), width, height, channels);
}
