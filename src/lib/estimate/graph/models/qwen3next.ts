import * as ggml from '../../ggml/ops/ops.js';
import type { Four, Tensor } from '../../ggml/tensor.js';
import { attention } from '../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { AttentionOptions } from '../attention/multi-head.js';
import type { GraphBuilder } from '../builder.js';
import { cropEarly, finishKeepingHidden } from '../output-rows.js';
import { type DeltaNet, deltaNetLayer, type DeltaNetParts } from '../recurrent/delta-net.js';
import { experts } from '../experts/experts.js';
import { feedForward, projected, projectRows } from '../projections.js';
import { recurrentInput } from '../recurrent/recurrent.js';

interface Variant {
  readonly deltaNet: DeltaNet;
  /** Queries and their gates are split as four-dimensional rows. */
  readonly reshapesQueries: boolean;
}

/** `src/models/qwen3next.cpp` (llama.cpp v0.5.0). */
export function qwen3next(g: GraphBuilder): void {
  linearDecoder(g, { deltaNet: { parts: mixedParts, repeatsKeys: true }, reshapesQueries: true });
}

/** `src/models/qwen35.cpp` and `qwen35moe.cpp` (llama.cpp v0.5.0). */
export function qwen35(g: GraphBuilder): void {
  linearDecoder(g, { deltaNet: { parts: separateParts, repeatsKeys: false }, reshapesQueries: false });
}

function linearDecoder(g: GraphBuilder, { deltaNet, reshapesQueries }: Variant): void {
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    g.tapInput(layer, layerInput);
    let cur = g.expand(g.rmsNorm(layerInput, layer, 'attn_norm.weight'));
    cur = g.hparams.isRecurrent[layer]
      ? deltaNetLayer(g, recurrent, cur, layer, deltaNet)
      : gatedAttention(g, cur, layer, inputs, reshapesQueries);
    const middle = ggml.add(cropEarly(g, layer, cur, outIds), cropEarly(g, layer, layerInput, outIds));
    cur = g.rmsNorm(middle, layer, 'post_attention_norm.weight');
    layerInput = g.steer(ggml.add(feedForwardOrExperts(g, cur, layer), middle), layer);
  }
  finishKeepingHidden(g, layerInput, outIds);
}

/** `build_layer_attn`: each head's query is followed by its gate. */
export function gatedAttention(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  { positions, attention: input }: DecoderInputs,
  reshapes: boolean,
  options: AttentionOptions = {},
): Tensor {
  const { k: size, q: heads, kv: kvHeads, v: valueSize } = g.head(layer);
  const rows = projectRows(g, cur, layer, 2 * size);
  const both = reshapes ? ggml.reshape(rows.q, 2 * size, heads, g.nTokens) : rows.q;
  const perHead = ggml.rowSize(both, 2 * size);
  const half = (offset: number): Tensor =>
    ggml.view3d(both, [size, heads, g.nTokens], perHead, perHead * heads, ggml.rowSize(both, offset));
  const q = g.rmsNorm(half(0), layer, 'attn_q_norm.weight');
  const k = g.rmsNorm(ggml.reshape(rows.k, size, kvHeads, g.nTokens), layer, 'attn_k_norm.weight');
  const v = ggml.reshape(rows.v, valueSize, kvHeads, g.nTokens);
  const rotated = { q: ggml.rope(q, positions), k: ggml.rope(k, positions), v };
  const attended = attention(g, input, layer, rotated, { ...options, output: null });
  const gate = ggml.unary(ggml.contTo(half(size), size * heads, g.nTokens), 'sigmoid');
  return projected(g, ggml.mul(attended, gate), layer, 'attn_output');
}

/** `build_qkvz`: one matrix for all four parts in older files. */
function mixedParts(g: GraphBuilder, cur: Tensor, layer: number): DeltaNetParts {
  const { dtRank: heads, groups: keyHeads } = g.hparams.ssm;
  const { nSeqTokens, nSeqs } = g;
  const perKey = heads / keyHeads;
  const { qkv, z } = g.layerWeight(layer, 'attn_qkv.weight')
    ? separateQkvz(g, cur, layer)
    : interleavedQkvz(g, cur, layer);
  const mixed = ggml.reshape(projected(g, cur, layer, 'ssm_ba'), 2 * perKey, keyHeads, nSeqTokens, nSeqs);
  const half = (offset: number): Tensor => part(mixed, perKey, offset);
  const beta = ggml.unary(g.params.llama.leanRecurrentLayers ? half(0) : ggml.cont(half(0)), 'sigmoid');
  const alpha = ggml.contTo(half(perKey), heads, nSeqTokens, nSeqs);
  return {
    qkv,
    z,
    beta: ggml.reshape(beta, 1, heads, nSeqTokens, nSeqs),
    decay: decayOf(g, alpha, layer),
  };
}

export function separateParts(g: GraphBuilder, cur: Tensor, layer: number): DeltaNetParts {
  const { dtRank: heads } = g.hparams.ssm;
  const { nSeqTokens, nSeqs } = g;
  const { qkv, z } = separateQkvz(g, cur, layer);
  const beta = ggml.reshape(projected(g, cur, layer, 'ssm_beta'), 1, heads, nSeqTokens, nSeqs);
  const alpha = ggml.reshape(projected(g, cur, layer, 'ssm_alpha'), heads, nSeqTokens, nSeqs);
  return { qkv, z, beta: ggml.unary(beta, 'sigmoid'), decay: decayOf(g, alpha, layer) };
}

function separateQkvz(g: GraphBuilder, cur: Tensor, layer: number): { qkv: Tensor; z: Tensor } {
  const qkv = projected(g, cur, layer, 'attn_qkv');
  return {
    qkv: ggml.reshape(qkv, qkv.ne[0], g.nSeqTokens, g.nSeqs),
    z: projected(g, cur, layer, 'attn_gate'),
  };
}

function interleavedQkvz(g: GraphBuilder, cur: Tensor, layer: number): { qkv: Tensor; z: Tensor } {
  const { inner, state: keySize, groups: keyHeads } = g.hparams.ssm;
  const { nSeqTokens, nSeqs } = g;
  const values = inner / keyHeads;
  const product = projected(g, cur, layer, 'ssm_in');
  const mixed = ggml.reshape(product, 2 * keySize + 2 * values, keyHeads, nSeqTokens, nSeqs);
  const flat = (width: number, offset: number): Tensor =>
    ggml.contTo(part(mixed, width, offset), width * keyHeads, nSeqTokens, nSeqs);
  const z = ggml.cont(part(mixed, values, 2 * keySize + values));
  const queriesAndKeys = ggml.concat(flat(keySize, 0), flat(keySize, keySize), 0);
  return { qkv: ggml.concat(queriesAndKeys, flat(values, 2 * keySize), 0), z };
}

/** Some columns of each head's row. */
function part(mixed: Tensor, width: number, offset: number): Tensor {
  const ne: Four = [width, mixed.ne[1], mixed.ne[2], mixed.ne[3]];
  return ggml.view4d(mixed, ne, mixed.nb[1], mixed.nb[2], mixed.nb[3], offset * mixed.nb[0]);
}

function decayOf(g: GraphBuilder, alpha: Tensor, layer: number): Tensor {
  const steps = ggml.unary(ggml.add(alpha, g.layerNeed(layer, 'ssm_dt.bias')), 'softplus');
  const decay = ggml.mul(steps, g.layerNeed(layer, 'ssm_a'));
  return ggml.reshape(decay, 1, g.hparams.ssm.dtRank, g.nSeqTokens, g.nSeqs);
}

/** `build_layer_ffn`: the shared expert has a gate of its own. */
export function feedForwardOrExperts(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  if (!g.layerWeight(layer, 'ffn_gate_inp.weight')) return feedForward(g, cur, layer, { activation: 'silu' });
  const routed = experts(g, cur, layer, {
    activation: 'silu',
    gating: 'softmax',
    normalise: true,
    scale: 0,
  });
  if (!g.layerWeight(layer, 'ffn_up_shexp.weight')) return routed;
  const shared = feedForward(g, cur, layer, { activation: 'silu', suffix: '_shexp' });
  const gate = ggml.unary(g.mulMat(g.layerNeed(layer, 'ffn_gate_inp_shexp.weight'), cur), 'sigmoid');
  return ggml.add(routed, ggml.mul(shared, gate));
}
