import { interpolate } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { arange } from '../../../ggml/ops/sparse-ops.js';
import { F32, I32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';
import { sam } from './sam.js';

/** `clip_graph_deepseekocr` (`tools/mtmd/models/deepseekocr.cpp`, llama.cpp v0.5.0): SAM, then CLIP; both results are projected. */
export function deepseekOcr(g: ClipGraph): Tensor {
  const { nEmbd } = g.hparams;
  const { width, height, isOverview = false } = g.size;
  const rowImages = g.batch;
  const tiles = isOverview ? 1 : Math.floor(height / width);
  let image = g.rawInput();
  if (!isOverview) {
    image = ggml.reshape(image, width * width, tiles, 3, rowImages);
    image = ggml.cont(ggml.permute(image, 0, 2, 1, 3));
    image = ggml.reshape(image, width, width, 3, tiles * rowImages);
  }
  const encoded = sam(g, image);
  const images = tiles * rowImages;
  const patches = encoded.ne[0] * encoded.ne[1];
  const seen = g.expand(clip(g, encoded, patches, images));

  let columns = ggml.cont(ggml.permute(encoded, 1, 2, 0, 3));
  columns = ggml.reshape(columns, columns.ne[0], patches, images);
  const withoutClass = ggml.view3d(seen, [nEmbd, patches, images], seen.nb[1], seen.nb[2], seen.nb[1]);
  const both = ggml.concat(withoutClass, columns, 0);
  const projected = ggml.add(ggml.mulMat(g.need('mm.model.fc.weight'), both), g.need('mm.model.fc.bias'));
  return isOverview ? overview(g, projected) : tileRows(g, projected, patches, tiles, rowImages);
}

function clip(g: ClipGraph, encoded: Tensor, patches: number, images: number): Tensor {
  const { nEmbd } = g.hparams;
  let input = ggml.reshape(encoded, patches, encoded.ne[2], encoded.ne[3]);
  input = ggml.cont(ggml.permute(input, 1, 0, 2, 3));
  let table = g.need('v.position_embd.weight');
  let nPos = table.ne[1];
  const side = Math.floor(Math.sqrt(patches));
  const known = Math.floor(Math.sqrt(nPos - 1));
  if (side !== known) {
    const row = ggml.rowSize(table, table.ne[0]);
    const grid = ggml.view2d(table, table.ne[0], known * known, row, 0);
    const ofClass = ggml.view2d(table, table.ne[0], 1, row, known * known);
    const resized = ggml.reshape(interpolate(grid, side, side, table.ne[0], 1), nEmbd, side * side, 1);
    table = ggml.concat(resized, ofClass, 1);
    nPos = side * side + 1;
  }
  const classes = ggml.repeat(g.need('v.class_embd'), [nEmbd, 1, images, 1]);
  const positions = ggml.getRows(table, ggml.cast(arange(nPos), I32));
  return vit(g, ggml.concat(classes, input, 1), nPos, { norm: 'layer', ffn: 'gelu_quick', positions });
}

/** A row of the image is ended by a token, the image by another. */
function overview(g: ClipGraph, cur: Tensor): Tensor {
  const side = Math.floor(Math.sqrt(cur.ne[1]));
  const width = cur.ne[0];
  const ends = ggml.repeat(g.need('v.image_newline'), [width, 1, side, g.batch]);
  cur = ggml.concat(ggml.reshape(cur, width, side, side, g.batch), ends, 1);
  cur = ggml.reshape(cur, width, (side + 1) * side, g.batch);
  return ggml.concat(cur, ggml.repeat(g.need('v.view_seperator'), [width, 1, g.batch, 1]), 1);
}

/** Rows of patches over all tiles of a row, each ended by a token. */
function tileRows(g: ClipGraph, cur: Tensor, patches: number, tiles: number, rowImages: number): Tensor {
  const side = Math.floor(Math.sqrt(patches));
  const width = cur.ne[0];
  cur = ggml.reshape(cur, width * side, side, tiles, rowImages);
  cur = ggml.cont(ggml.permute(cur, 0, 2, 1, 3));
  cur = ggml.reshape(cur, width, side * tiles, side, rowImages);
  cur = ggml.concat(cur, ggml.repeat(g.need('v.image_newline'), [width, 1, side, rowImages]), 1);
  return ggml.reshape(cur, width, (side * tiles + 1) * side, rowImages);
}

/** Patches of a tile, for which there are queries of their own. */
const TILE_PATCHES = 144;
const WHOLE_PATCHES = 256;

/** `clip_graph_deepseekocr2` (`tools/mtmd/models/deepseekocr2.cpp`): queries after SAM's patches, through a causal encoder. */
export function deepseekOcr2(g: ClipGraph): Tensor {
  const encoded = sam(g, g.rawInput());
  let input = ggml.reshape(encoded, encoded.ne[0] * encoded.ne[1], encoded.ne[2], encoded.ne[3]);
  input = ggml.cont(ggml.permute(input, 1, 0, 2, 3));
  const isTile = input.ne[1] === TILE_PATCHES;
  const count = isTile ? TILE_PATCHES : WHOLE_PATCHES;
  const queries = ggml.cast(g.need(`v.resample_query_${isTile ? 768 : 1024}.weight`), input.type);
  input = ggml.concat(input, ggml.repeat(queries, [queries.ne[0], count, input.ne[2], 1]), 1);
  const length = input.ne[1];
  const mask = ggml.newInput(F32, length, length);
  const positions = ggml.cast(arange(length), I32);
  const all = vit(g, input, length, {
    norm: 'rms',
    ffn: 'silu',
    rotate: (head) => ggml.rope(head, positions),
    mask: () => mask,
  });
  const tail = ggml.view3d(all, [all.ne[0], count, all.ne[2]], all.nb[1], all.nb[2], all.nb[1] * (all.ne[1] - count));
  const answers = g.expand(ggml.cont(tail));
  const cur = ggml.add(ggml.mulMat(g.need('mm.model.fc.weight'), answers), g.need('mm.model.fc.bias'));
  if (!g.size.isOverview) return cur;
  const separator = g.need('v.view_seperator');
  return ggml.concat(cur, ggml.repeat(separator, [separator.ne[0], 1, cur.ne[2], 1]), 1);
}
