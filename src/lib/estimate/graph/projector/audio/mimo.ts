import { argmax, conv1d, conv1dHalfPadded } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';

/** The layer whose result is added to the last's. */
const SKIPPED_FROM = 2;
const SEES_ALL = -1;

/** `clip_graph_mimo_audio` (`tools/mtmd/models/mimo-audio.cpp`, llama.cpp v0.5.0): frames become codes, codes become tokens. */
export function mimoAudio(g: ClipGraph): Tensor {
  return localTransformer(g, embedded(g, codesOf(g, encodedFrames(g))));
}

function encodedFrames(g: ClipGraph): Tensor {
  const { nEmbd, windowModes } = g.hparams;
  let cur = g.rawInput(1);
  for (const number of [1, 2]) {
    cur = conv1dHalfPadded(g.need(`a.conv1d.${number}.weight`), cur, number);
    cur = ggml.unary(ggml.add(cur, g.need(`a.conv1d.${number}.bias`)), 'gelu_erf');
  }
  const input = ggml.cont(ggml.transpose(cur));
  const nPos = input.ne[1];
  const positions = g.positions(nPos);
  const all = ggml.newInput(F32, nPos, nPos);
  const window = ggml.newInput(F32, nPos, nPos);
  let skipped: Tensor | undefined;
  const encoded = vit(g, input, nPos, {
    norm: 'layer',
    rotate: (head) => ggml.rope(head, positions),
    mask: (layer) => (windowModes[layer] === SEES_ALL ? all : window),
    onLayer: (residual, layer) => {
      if (layer === SKIPPED_FROM) skipped = residual;
    },
    skipsPostNorm: true,
  });
  let out = ggml.reshape(encoded, nEmbd, nPos);
  if (skipped) out = ggml.add(out, skipped);
  out = ggml.cont(ggml.transpose(g.namedNorm(out, 'a.post_ln', 'layer')));
  out = ggml.unary(conv1d(g.need('a.downsample.conv.weight'), out, { stride: 2, padding: 0 }), 'gelu_erf');
  return g.namedNorm(ggml.cont(ggml.transpose(out)), 'a.downsample.norm', 'layer');
}

/** The nearest row of each codebook, one after another of what the ones before left. */
function codesOf(g: ClipGraph, frames: Tensor): readonly Tensor[] {
  const table = g.need('a.rvq.codebook.weight');
  const width = table.ne[0];
  let residual = frames;
  return g.hparams.codebooks.map((bins, i) => {
    const codebook = ggml.cont(ggml.view2d(table, width, bins, table.nb[1], i * table.nb[2]));
    const lengths = ggml.cont(ggml.transpose(ggml.sumRows(ggml.sqr(codebook))));
    const scores = ggml.sub(ggml.scale(ggml.mulMat(codebook, residual)), lengths);
    const code = argmax(scores);
    residual = ggml.sub(residual, ggml.getRows(codebook, code));
    return code;
  });
}

function embedded(g: ClipGraph, codes: readonly Tensor[]): Tensor {
  const table = g.need('mm.a.code_embd.weight');
  return codes
    .map((code, i) => {
      const ofCode = ggml.view2d(table, table.ne[0], table.ne[1], table.nb[1], i * table.nb[2]);
      return ggml.getRows(ggml.cont(ofCode), code);
    })
    .reduce((sum, row) => ggml.add(sum, row));
}

/** Groups of frames among themselves, then one token for each. */
function localTransformer(g: ClipGraph, input: Tensor): Tensor {
  const { nEmbd, headSize, nHead, local } = g.hparams;
  const frames = input.ne[1];
  const groups = Math.ceil(frames / local.groupSize);
  const padded = groups * local.groupSize;
  let stream = padded === frames ? input : ggml.padTo(input, [input.ne[0], padded, 1, 1]);
  const positions = g.positions(padded);
  const mask = ggml.newInput(F32, padded, padded);
  for (let layer = 0; layer < local.nLayer; layer++) {
    const name = (part: string): string => `mm.a.local_blk.${layer}.${part}`;
    const normed = g.norm(stream, g.need(name('ln1.weight')), null, 'rms');
    const [q, k, v] = ['attn_q', 'attn_k', 'attn_v']
      .map((part) => g.addBias(g.mulMat(g.need(name(`${part}.weight`)), normed), g.weight(name(`${part}.bias`))))
      .map((head) => ggml.reshape(head, headSize, nHead, padded)) as [Tensor, Tensor, Tensor];
    const heads = { q: ggml.rope(q, positions), k: ggml.rope(k, positions), v, mask };
    const residual = ggml.add(stream, g.attention(g.need(name('attn_out.weight')), null, heads));
    const cur = g.norm(residual, g.need(name('ln2.weight')), null, 'rms');
    const names = { up: name('ffn_up'), gate: name('ffn_gate'), down: name('ffn_down') };
    stream = ggml.add(residual, g.ffn(cur, names, 'silu'));
  }
  const normed = g.norm(stream, g.need('mm.a.local_norm.weight'), null, 'rms');
  const grouped = ggml.reshape(normed, nEmbd * local.groupSize, groups);
  return g.ffn(grouped, { up: 'mm.a.mlp.1', down: 'mm.a.mlp.2' }, 'gelu_erf');
}
