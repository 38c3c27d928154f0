import { conv2d } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { ClipGraph } from './clip-graph.js';
import { ldp, ldpv2 } from './convolved/mobilevlm.js';

/** `clip_graph_llava` (`tools/mtmd/models/llava.cpp`, llama.cpp v0.5.0): LLaVA, MobileVLM, Granite Vision, GLM-Edge. */
export function llava(g: ClipGraph): Tensor {
  const { nLayer, headSize, nHead, ffn, featureLayers } = g.hparams;
  const classEmbedding = g.weight('v.class_embd');
  const nPos = g.patches + (classEmbedding ? 1 : 0);
  const deepest = featureLayers.length > 0 ? Math.max(...featureLayers) : nLayer - (g.type === 'adapter' ? 0 : 1);

  let input = g.patchInput();
  if (classEmbedding) input = ggml.concat(input, classEmbedding, 1);
  const positions = g.positions(nPos);
  let stream = ggml.add(input, ggml.getRows(g.need('v.position_embd.weight'), positions));
  const preNorm = g.own('pre_ln.weight');
  if (preNorm) stream = g.norm(stream, preNorm, g.own('pre_ln.bias'), 'layer');

  const features: Tensor[] = [];
  for (let layer = 0; layer < deepest; layer++) {
    if (featureLayers.includes(layer)) features.push(stream);
    const cur = g.layerNorm(stream, layer, 'ln1', 'layer');
    const projected = (name: string): Tensor =>
      g.addBias(g.mulMat(g.layerNeed(layer, `${name}.weight`), cur), g.layer(layer, `${name}.bias`));
    const [q, k, v] = [projected('attn_q'), projected('attn_k'), projected('attn_v')].map((head) =>
      ggml.reshape(head, headSize, nHead, nPos),
    ) as [Tensor, Tensor, Tensor];
    const residual = ggml.add(g.layerAttention(layer, { q, k, v }), stream);
    stream = ggml.add(residual, g.layerFfn(g.layerNorm(residual, layer, 'ln2', 'layer'), layer, ffn));
  }
  const postNorm = g.own('post_ln.weight');
  if (postNorm) stream = g.norm(stream, postNorm, g.own('post_ln.bias'), 'layer');
  if (featureLayers.includes(deepest)) features.push(stream);
  const stacked = features.length > 0 ? features.reduce((all, one) => ggml.concat(all, one, 0)) : stream;
  if (g.type === 'adapter') return glmEdge(g, stacked);
  const rows = ggml.getRows(ggml.reshape(stacked, stacked.ne[0], stacked.ne[1]), g.positions(g.patches));
  if (g.type === 'ldp') return ldp(g, rows);
  return g.type === 'ldpv2' ? ldpv2(g, rows) : mlp(g, rows);
}

function mlp(g: ClipGraph, cur: Tensor): Tensor {
  const linear = (name: string, input: Tensor): Tensor =>
    ggml.add(g.mulMat(g.need(`${name}.weight`), input), g.need(`${name}.bias`));
  // Yi's variant has norms between and after the two matrices.
  if (g.weight('mm.3.weight')) {
    cur = ggml.unary(g.namedNorm(linear('mm.0', cur), 'mm.1', 'layer'), 'gelu');
    return g.namedNorm(linear('mm.3', cur), 'mm.4', 'layer');
  }
  cur = ggml.unary(linear('mm.0', cur), 'gelu');
  return g.weight('mm.2.weight') ? linear('mm.2', cur) : cur;
}

function glmEdge(g: ClipGraph, cur: Tensor): Tensor {
  const side = Math.floor(Math.sqrt(cur.ne[1]));
  const columns = ggml.permute(cur, 1, 0, 2, 3);
  cur = ggml.contTo(columns, side, side, columns.ne[1]);
  cur = conv2d(g.need('adapter.conv.weight'), cur, { stride: 2, padding: 0 });
  cur = ggml.reshape(cur, cur.ne[0] * cur.ne[1], cur.ne[2], 1);
  cur = ggml.add(ggml.cont(ggml.permute(cur, 1, 0, 2, 3)), g.need('adapter.conv.bias'));
  cur = g.namedNorm(g.mulMat(g.need('adapter.linear.linear.weight'), cur), 'adapter.linear.norm1', 'layer');
  const activated = ggml.unaryInplace(cur, 'gelu');
  const gate = g.mulMat(g.need('adapter.linear.gate.weight'), activated);
  const up = g.mulMat(g.need('adapter.linear.dense_h_to_4h.weight'), activated);
  cur = g.mulMat(g.need('adapter.linear.dense_4h_to_h.weight'), ggml.glu(gate, up, 'swiglu'));
  return ggml.concat(ggml.concat(g.need('adapter.boi'), cur, 1), g.need('adapter.eoi'), 1);
}
