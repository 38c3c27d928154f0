import { cos, sin } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F32, type Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { vit } from './vit/vit.js';

/** Of the resampler's own attention, whatever the encoder has. */
const HEAD_SIZE = 128;

/** `clip_graph_minicpmv` (`tools/mtmd/models/minicpmv.cpp`, llama.cpp v0.5.0): SigLIP, then a resampler to a few tokens. */
export function minicpmv(g: ClipGraph): Tensor {
  const nPos = g.patches;
  const projection = g.need('resampler.proj.weight');
  const width = projection.ne[0];
  const frequencies = ggml.newInput(F32, width / 4);
  const rows = ggml.newInput(F32, 1, nPos);
  const columns = ggml.newInput(F32, 1, nPos);
  const learned = ggml.getRows(g.need('v.position_embd.weight'), g.positions(nPos));
  const encoded = vit(g, g.patchInput(), nPos, { norm: 'layer', positions: learned });

  const raw = g.mulMat(g.need('resampler.kv.weight'), encoded);
  const queries = g.namedNorm(g.need('resampler.query'), 'resampler.ln_q', 'layer');
  const values = g.namedNorm(raw, 'resampler.ln_kv', 'layer');
  const keys = ggml.add(values, sinusoidal(frequencies, rows, columns, nPos));

  const heads = Math.floor(width / HEAD_SIZE);
  const projected = (name: string, cur: Tensor, count: number): Tensor => {
    const product = g.mulMat(g.need(`resampler.attn.${name}.weight`), cur);
    return ggml.reshape(ggml.add(product, g.need(`resampler.attn.${name}.bias`)), HEAD_SIZE, heads, count);
  };
  const cur = g.attention(g.need('resampler.attn.out.weight'), g.need('resampler.attn.out.bias'), {
    q: projected('q', queries, g.hparams.nQuery),
    k: projected('k', keys, nPos),
    v: projected('v', values, nPos),
  });
  return g.mulMat(projection, g.namedNorm(cur, 'resampler.ln_post', 'layer'));
}

/** Sines and cosines of both coordinates. */
function sinusoidal(frequencies: Tensor, rows: Tensor, columns: Tensor, nPos: number): Tensor {
  const repeated = ggml.repeat(frequencies, [frequencies.ne[0], nPos, 1, 1]);
  const thetaX = ggml.mul(repeated, columns);
  const thetaY = ggml.mul(repeated, rows);
  const x = ggml.concat(sin(thetaX), cos(thetaX), 0);
  const y = ggml.concat(sin(thetaY), cos(thetaY), 0);
  return ggml.concat(x, y, 0);
}
