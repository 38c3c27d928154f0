import { conv1dHalfPadded } from '../../../ggml/ops/image-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { elements, type Tensor } from '../../../ggml/tensor.js';
import type { ClipGraph } from '../clip-graph.js';
import { vit } from '../vit/vit.js';

/** `clip_graph_whisper_enc` (`tools/mtmd/models/whisper-enc.cpp`, llama.cpp v0.5.0). */
export function whisper(g: ClipGraph): Tensor {
  const nPos = Math.floor(g.size.width / 2);
  const convolved = (input: Tensor, number: number): Tensor => {
    const conv = conv1dHalfPadded(g.need(`a.conv1d.${number}.weight`), input, number);
    return ggml.unary(ggml.add(conv, g.need(`a.conv1d.${number}.bias`)), 'gelu_erf');
  };
  const input = ggml.cont(ggml.transpose(convolved(convolved(g.rawInput(1), 1), 2)));
  const table = g.need('a.position_embd.weight');
  const positions = ggml.view2d(table, table.ne[0], nPos, table.nb[1], 0);
  const cur = vit(g, input, nPos, { norm: 'layer', positions });
  return PROJECT[g.type as WhisperType](g, STACKED.has(g.type) ? stacked(g, cur) : cur);
}

type WhisperType = 'ultravox' | 'qwen2a' | 'voxtral' | 'musicflamingo' | 'meralion' | 'glma';

/** `audio_has_stack_frames` (`tools/mtmd/clip-model.h`). */
const STACKED = new Set(['ultravox', 'voxtral', 'meralion']);

/** `build_stack`. */
function stacked(g: ClipGraph, cur: Tensor): Tensor {
  const { stackFactor, nEmbd } = g.hparams;
  if (stackFactor <= 1) return cur;
  const total = elements(cur);
  const stride = nEmbd * stackFactor;
  const padded = Math.ceil(total / stride) * stride;
  if (padded > total) cur = ggml.padTo(ggml.view1d(cur, total, 0), [padded, 1, 1, 1]);
  return ggml.view2d(cur, stride, padded / stride, ggml.rowSize(cur, stride), 0);
}

function twoLayers(op: 'gelu_erf') {
  return (g: ClipGraph, cur: Tensor): Tensor => g.ffn(cur, { up: 'mm.a.mlp.1', down: 'mm.a.mlp.2' }, op);
}

const PROJECT: Readonly<Record<WhisperType, (g: ClipGraph, cur: Tensor) => Tensor>> = {
  ultravox(g, cur) {
    cur = ggml.mul(ggml.rmsNorm(cur), g.need('mm.a.norm_pre.weight'));
    cur = ggml.glu(g.mulMat(g.need('mm.a.mlp.1.weight'), cur), null, 'swiglu');
    cur = ggml.mul(ggml.rmsNorm(cur), g.need('mm.a.norm_mid.weight'));
    return g.mulMat(g.need('mm.a.mlp.2.weight'), cur);
  },
  qwen2a(g, cur) {
    return ggml.add(g.mulMat(g.need('mm.a.fc.weight'), cur), g.need('mm.a.fc.bias'));
  },
  voxtral: twoLayers('gelu_erf'),
  musicflamingo: twoLayers('gelu_erf'),
  meralion(g, cur) {
    const linear = (number: number, input: Tensor): Tensor =>
      ggml.add(ggml.mulMat(g.need(`mm.a.mlp.${number}.weight`), input), g.need(`mm.a.mlp.${number}.bias`));
    cur = g.norm(cur, g.need('mm.a.norm_pre.weight'), g.need('mm.a.norm_pre.bias'), 'layer');
    cur = ggml.unary(linear(0, cur), 'silu');
    const gate = ggml.unary(linear(1, cur), 'silu');
    return linear(3, ggml.mul(gate, linear(2, cur)));
  },
  glma(g, cur) {
    cur = g.norm(cur, g.need('mm.a.norm_pre.weight'), g.need('mm.a.norm_pre.bias'), 'layer');
    cur = g.ffn(stacked(g, cur), { up: 'mm.a.mlp.1', down: 'mm.a.mlp.2' }, g.hparams.ffn);
    return ggml.concat(ggml.concat(g.need('v.boi'), cur, 1), g.need('v.eoi'), 1);
  },
};
