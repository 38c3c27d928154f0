import { im2col, interpolate, type Window } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';

/** Layers that see everything: `global_attn_indices` (`tools/mtmd/clip-model.h`). */
const GLOBAL_LAYERS = new Set([2, 5, 8, 11]);
const HALVES: Window = { stride: 2, padding: 1 };

interface Distances {
  readonly within: Tensor;
  readonly across: Tensor;
}

/** `clip_graph_deepseekocr::build_sam` (`tools/mtmd/models/deepseekocr.cpp`, llama.cpp v0.5.0): [width, height, channels, images]. */
export function sam(g: ClipGraph, image: Tensor): Tensor {
  const { nLayer, nEmbd } = g.hparams.sam;
  const kernel = g.need('v.sam.patch_embd.weight');
  let cur = convolved(kernel, image, { stride: kernel.ne[0], padding: 0 });
  cur = ggml.add(cur, ggml.reshape(g.need('v.sam.patch_embd.bias'), 1, 1, nEmbd));
  cur = ggml.cont(ggml.permute(cur, 1, 2, 0, 3));
  const side = g.hparams.windowSize;
  const distances: Distances = {
    within: ggml.newInput(I32, side, side),
    across: ggml.newInput(I32, cur.ne[1], cur.ne[2]),
  };
  cur = ggml.add(cur, positions(g, cur.ne[1]));
  for (let layer = 0; layer < nLayer; layer++) cur = samLayer(g, cur, layer, distances);

  const channelsFirst = (tensor: Tensor): Tensor => ggml.cont(ggml.permute(tensor, 1, 2, 0, 3));
  const channelsLast = (tensor: Tensor): Tensor => ggml.cont(ggml.permute(tensor, 2, 0, 1, 3));
  cur = channelsLast(cur);
  cur = convolved(g.need('v.sam.neck.0.weight'), cur, { stride: 1, padding: 0 });
  cur = channelsLast(g.namedNorm(channelsFirst(cur), 'v.sam.neck.1', 'layer'));
  cur = convolved(g.need('v.sam.neck.2.weight'), cur, { stride: 1, padding: 1 });
  cur = channelsLast(g.namedNorm(channelsFirst(cur), 'v.sam.neck.3', 'layer'));
  cur = convolved(g.need('v.sam.net_2.weight'), cur, HALVES);
  return g.expand(convolved(g.need('v.sam.net_3.weight'), cur, HALVES));
}

/** `conv_2d_f32`: only f16 kernels read f16. */
function convolved(kernel: Tensor, input: Tensor, window: Window): Tensor {
  const [kw, kh, kc, channels] = kernel.ne;
  const unfolded = im2col(kernel, input, window, true, kernel.type === F16 ? F16 : F32);
  const [row, width, height, batch] = unfolded.ne;
  const product = ggml.mulMat(
    ggml.reshape(unfolded, row, batch * height * width),
    ggml.reshape(kernel, kw * kh * kc, channels),
  );
  return ggml.cont(ggml.permute(ggml.reshape(product, width, height, batch, channels), 0, 1, 3, 2));
}

function positions(g: ClipGraph, side: number): Tensor {
  const table = g.need('v.sam.pos_embd.weight');
  if (table.ne[1] === side) return table;
  const grid = ggml.cont(ggml.permute(table, 2, 0, 1, 3));
  const resized = interpolate(grid, side, side, g.hparams.sam.nEmbd, 1);
  return ggml.cont(ggml.permute(resized, 1, 2, 0, 3));
}

function samLayer(g: ClipGraph, shortcut: Tensor, layer: number, { within, across }: Distances): Tensor {
  const { windowSize, ffn } = g.hparams;
  const name = (part: string): string => `v.sam.blk.${layer}.${part}`;
  const [, width, height] = shortcut.ne;
  const isGlobal = GLOBAL_LAYERS.has(layer);
  let cur = g.namedNorm(shortcut, name('pre_ln'), 'layer');
  if (!isGlobal) cur = partitioned(cur, windowSize);
  cur = samAttention(g, cur, layer, isGlobal ? across : within);
  if (!isGlobal) cur = unpartitioned(cur, width, height, windowSize);
  const residual = ggml.add(cur, shortcut);
  const fed = g.ffn(
    g.namedNorm(residual, name('post_ln'), 'layer'),
    { up: name('mlp.lin1'), down: name('mlp.lin2') },
    ffn,
  );
  return ggml.add(fed, residual);
}

/** Attention with a bias for how far apart two positions are, worked out from the queries. */
function samAttention(g: ClipGraph, cur: Tensor, layer: number, indices: Tensor): Tensor {
  const { nEmbd, nHead } = g.hparams.sam;
  const headSize = nEmbd / nHead;
  const name = (part: string): string => `v.sam.blk.${layer}.attn.${part}`;
  const [, width, height, batch] = cur.ne;
  const nPos = width * height;
  const product = ggml.add(ggml.mulMat(g.need(name('qkv.weight')), cur), g.need(name('qkv.bias')));
  const qkv = ggml.reshape(product, nEmbd, 3, nPos, batch);
  const [q, k, v] = [0, 1, 2].map((i) => {
    const view = ggml.view3d(qkv, [nEmbd, nPos, batch], qkv.nb[2], qkv.nb[3], i * qkv.nb[1]);
    return ggml.reshape(ggml.cont(view), headSize, nHead, nPos, batch);
  }) as [Tensor, Tensor, Tensor];

  const byWidth = relative(g.need(name('pos_w.weight')), indices, width);
  const byHeight = relative(g.need(name('pos_h.weight')), indices, height);
  const queries = ggml.reshape(ggml.cont(ggml.permute(q, 0, 2, 1, 3)), headSize, width, height, batch * nHead);
  let across = ggml.mulMat(byWidth, ggml.cont(ggml.permute(queries, 0, 2, 1, 3)));
  across = ggml.cont(ggml.permute(across, 0, 2, 1, 3));
  across = ggml.repeat(ggml.reshape(across, width, 1, nPos, nHead * batch), [width, height, nPos, nHead * batch]);
  const down = ggml.reshape(ggml.mulMat(byHeight, queries), 1, height, nPos, nHead * batch);
  let mask = ggml.reshape(ggml.add(across, down), nPos, nPos, nHead, batch);
  if (g.flashAttn) mask = ggml.cast(mask, F16);
  const attended = g.attention(g.need(name('out.weight')), g.need(name('out.bias')), { q, k, v, mask });
  return ggml.reshape(ggml.cont(attended), nEmbd, width, height, batch);
}

/** `get_rel_pos`: a row of the table for each distance. */
function relative(table: Tensor, indices: Tensor, size: number): Tensor {
  const [channels, length, ne2, ne3] = table.ne;
  const distances = 2 * size - 1;
  let cur = table;
  if (distances !== length) {
    const rows = channels * ne2 * ne3;
    cur = ggml.reshape(ggml.cont(ggml.permute(cur, 1, 0, 2, 3)), length, 1, rows);
    cur = ggml.reshape(interpolate(cur, distances, 1, rows, 1), distances, channels, ne2, ne3);
    cur = ggml.cont(ggml.permute(cur, 1, 0, 2, 3));
  }
  return ggml.reshape(ggml.getRows(cur, ggml.reshape(indices, size * size)), channels, size, size);
}

function windowsOf(width: number, height: number, side: number): readonly [columns: number, rows: number] {
  return [Math.ceil(width / side), Math.ceil(height / side)];
}

function partitioned(cur: Tensor, side: number): Tensor {
  const [channels, width, height, batch] = cur.ne;
  const [columns, rows] = windowsOf(width, height, side);
  if (columns * side !== width || rows * side !== height) {
    cur = ggml.padTo(cur, [channels, columns * side, rows * side, batch]);
  }
  cur = ggml.reshape(cur, channels * side, columns, side, rows * batch);
  return ggml.reshape(ggml.cont(ggml.permute(cur, 0, 2, 1, 3)), channels, side, side, columns * rows * batch);
}

function unpartitioned(cur: Tensor, width: number, height: number, side: number): Tensor {
  const channels = cur.ne[0];
  const [columns, rows] = windowsOf(width, height, side);
  const batch = cur.ne[3] / (columns * rows);
  cur = ggml.reshape(cur, channels * side, side, columns, rows * batch);
  cur = ggml.cont(ggml.permute(cur, 0, 2, 1, 3));
  cur = ggml.reshape(cur, channels, columns * side, rows * side, batch);
  return ggml.cont(ggml.view4d(cur, [channels, width, height, batch], cur.nb[1], cur.nb[2], cur.nb[3], 0));
}
