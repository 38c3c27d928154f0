import { conv2d, pool2d } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import { graphError } from '../../ggml/graph-error.js';
import { I32, type Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { queryLayer } from './queries.js';

/** Of the queries' attention, whatever the encoder has. */
const QUERY_HEAD = 64;

interface Tiles {
  readonly count: number;
  /** Patches along each side of a tile. */
  readonly side: number;
}

/** `clip_graph_granite4_vision` (`tools/mtmd/models/granite4-vision.cpp`, llama.cpp v0.5.0): SigLIP over all tiles, then queries. */
export function granite4Vision(g: ClipGraph): Tensor {
  const { patchSize, featureLayers, windows } = g.hparams;
  const { width, height, grid } = g.size;
  const tiles: Tiles = { count: Math.floor(height / width), side: Math.floor(width / patchSize) };
  const outputs = encoded(g, tiles);
  const streams = featureLayers.map((layer, i) => {
    const output = outputs[layer];
    if (output === undefined) throw graphError(`feature layer ${layer} of ${outputs.length}`);
    return windowed(g, output, i, tiles);
  });
  if (streams.length === 0) throw graphError('no feature layer');
  const all = streams.reduce((joined, stream) => ggml.concat(joined, stream, 0));
  if (!grid) return all;
  const side = Math.floor(tiles.side / windows.side) * windows.querySide;
  return assembled(g, all, side, grid, streams.length);
}

function tileInput(g: ClipGraph, { count, side }: Tiles): Tensor {
  const { nEmbd, patchSize } = g.hparams;
  const { width } = g.size;
  let image = g.rawInput();
  if (count > 1) {
    image = ggml.cont(ggml.permute(ggml.reshape(image, width * width, count, 3, 1), 0, 2, 1, 3));
    image = ggml.reshape(image, width, width, 3, count);
  }
  const conv = conv2d(g.need('v.patch_embd.weight'), image, { stride: patchSize, padding: 0 });
  const rows = ggml.cont(ggml.transpose(ggml.reshape(conv, side * side, nEmbd, count)));
  return g.addBias(rows, g.weight('v.patch_embd.bias'));
}

/** Each layer's result. */
function encoded(g: ClipGraph, tiles: Tiles): readonly Tensor[] {
  const { nEmbd, nLayer, nHead, headSize, ffn } = g.hparams;
  const patches = tiles.side * tiles.side;
  let stream = ggml.add(tileInput(g, tiles), g.need('v.position_embd.weight'));
  return Array.from({ length: nLayer }, (_, layer) => {
    const cur = g.layerNorm(stream, layer, 'ln1', 'layer');
    const [q, k, v] = ['attn_q', 'attn_k', 'attn_v']
      .map((name) => g.addBias(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layer(layer, `${name}.bias`)))
      .map((head) => ggml.reshape(head, headSize, nHead, patches, tiles.count)) as [Tensor, Tensor, Tensor];
    const attended = ggml.reshape(g.layerAttention(layer, { q, k, v }), nEmbd, patches, tiles.count);
    const residual = ggml.add(attended, stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'layer'), layer, ffn));
    return stream;
  });
}

/** `build_block`: a few queries for each window of patches. */
function windowed(g: ClipGraph, input: Tensor, block: number, tiles: Tiles): Tensor {
  const { side, querySide, offsets } = g.hparams.windows;
  const name = `v.proj_blk.${block}`;
  const nEmbd = input.ne[0];
  const across = Math.floor(tiles.side / side);
  const newSide = across * querySide;
  const windows = across * across;
  const all = windows * tiles.count;
  const perQuery = querySide * querySide;
  const gathered = (cur: Tensor, count: number): Tensor => ggml.getRows(cur, ggml.newInput(I32, count, tiles.count));

  const x = g.namedNorm(input, `${name}.norm`, 'layer');
  const patches = ggml.reshape(gathered(x, tiles.side * tiles.side), nEmbd, side * side, all);
  const isSampled = (offsets[block] ?? 0) >= 0;
  const smaller = isSampled ? gathered(x, newSide * newSide) : averaged(x, tiles, newSide);
  const grouped = ggml.reshape(gathered(smaller, newSide * newSide), nEmbd, perQuery, all);
  const queries = ggml.add(grouped, g.need(`${name}.query`));
  const answers = queryLayer(g, {
    queries: g.namedNorm(queries, `${name}.post_norm`, 'layer'),
    encoded: ggml.add(patches, g.need(`${name}.img_pos`)),
    prefix: name,
    nHead: Math.floor(nEmbd / QUERY_HEAD),
    op: 'gelu_erf',
    isFlat: true,
  });
  const placed = gathered(ggml.reshape(answers, nEmbd, perQuery * windows, tiles.count), newSide * newSide);
  return g.addBias(g.mulMat(g.need(`${name}.linear.weight`), placed), g.weight(`${name}.linear.bias`));
}

/** `interp_down`. */
function averaged(x: Tensor, { count, side }: Tiles, newSide: number): Tensor {
  const nEmbd = x.ne[0];
  let cur = ggml.cont(ggml.permute(ggml.reshape(x, nEmbd, side, side, count), 2, 0, 1, 3));
  cur = pool2d(ggml.reshape(cur, side, side, nEmbd * count), Math.floor(side / newSide));
  cur = ggml.cont(ggml.permute(ggml.reshape(cur, newSide, newSide, nEmbd, count), 1, 2, 0, 3));
  return ggml.reshape(cur, nEmbd, newSide * newSide, count);
}

/** `build_anyres_assembly`: the whole image's tokens, then the tiles' in rows, without those of padding. */
function assembled(
  g: ClipGraph,
  cur: Tensor,
  side: number,
  { columns, rows, original }: NonNullable<ClipGraph['size']['grid']>,
  streams: number,
): Tensor {
  const width = cur.ne[0];
  const [across, down] = [columns * side, rows * side];
  const base = ggml.view2d(cur, width, side * side, cur.nb[1], 0);
  let tiles = ggml.view3d(cur, [width, side * side, columns * rows], cur.nb[1], cur.nb[2], cur.nb[2]);
  tiles = ggml.reshape(tiles, width * side, side, columns, rows);
  tiles = ggml.reshape(ggml.cont(ggml.permute(tiles, 0, 2, 1, 3)), width, across, down);
  const [x, y] = unpadded(across, down, original);
  if (x !== across || y !== down) {
    const offset = Math.floor((across - x) / 2) * tiles.nb[1] + Math.floor((down - y) / 2) * tiles.nb[2];
    tiles = ggml.cont(ggml.view3d(tiles, [width, x, y], tiles.nb[1], tiles.nb[2], offset));
  }
  const ends = ggml.repeat(newline(g, width, streams), [width, 1, y, 1]);
  tiles = ggml.reshape(ggml.concat(tiles, ends, 1), width, (x + 1) * y);
  return ggml.concat(base, tiles, 1);
}

function newline(g: ClipGraph, width: number, streams: number): Tensor {
  const one = Math.floor(width / streams);
  const token = (): Tensor => ggml.reshape(g.need('v.image_newline'), one, 1);
  const all = streams === 1 ? token() : ggml.concat(token(), ggml.repeat(token(), [one, streams - 1, 1, 1]), 1);
  return ggml.reshape(ggml.cont(all), width, 1);
}

/** `clip_anyres_unpad` (`tools/mtmd/clip-impl.h`). */
function unpadded(
  across: number,
  down: number,
  { width, height }: { readonly width: number; readonly height: number },
): readonly [across: number, down: number] {
  if (Math.fround(width / height) > Math.fround(across / down)) {
    const kept = Math.floor((height * across) / width + 1e-7);
    return [across, down - 2 * Math.trunc((down - kept) / 2)];
  }
  const kept = Math.floor((width * down) / height + 1e-7);
  return [across - 2 * Math.trunc((across - kept) / 2), down];
}
