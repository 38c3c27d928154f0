import * as ggml from '../../../../ggml/ops/ops.js';
import type { Tensor } from '../../../../ggml/tensor.js';
import { attention } from '../../../attention/attention.js';
import type { GraphBuilder } from '../../../builder.js';
import { type Heads, projectQkv, projectRows, splitHeads } from '../../../projections.js';
import type { AttentionSpec, LayerInputs } from '../spec.js';

/** Attention over one layer's rows, up to and with its output projection. */
export function attend(g: GraphBuilder, spec: AttentionSpec, cur: Tensor, layer: number, inputs: LayerInputs): Tensor {
  const sinks = g.layerWeight(layer, 'attn_sinks.weight');
  const deferred = spec.gate !== undefined || spec.subNorm !== undefined;
  const options = { sinks, ...(deferred ? { output: null } : {}), ...spec.options?.(g, layer) };
  let attended = attention(g, inputs.attention, layer, prepared(g, spec, cur, layer, inputs), options);
  if (spec.gate) attended = gated(g, attended, cur, layer, spec.gate);
  if (spec.subNorm) attended = g.rmsNorm(attended, layer, `${spec.subNorm}.weight`);
  if (deferred) attended = outputProjection(g, attended, layer);
  return spec.scaledOutput?.(g) ? ggml.scale(attended) : attended;
}

function outputProjection(g: GraphBuilder, cur: Tensor, layer: number): Tensor {
  const product = g.mulMat(g.layerNeed(layer, 'attn_output.weight'), cur, g.layerWeight(layer, 'attn_output.scale'));
  return g.addBias(product, g.layerWeight(layer, 'attn_output.bias'));
}

function prepared(g: GraphBuilder, spec: AttentionSpec, cur: Tensor, layer: number, inputs: LayerInputs): Heads {
  const { q, k, v } = projectedHeads(g, spec, cur, layer);
  const factors = spec.factorsOfFullLayersOnly && g.hparams.isSwa[layer] ? null : ropeFactors(g, layer);
  const { positions } = inputs;
  const rotates = positions !== null && rotated(g, spec, layer);
  const one = (head: Tensor, name: string): Tensor => {
    let tensor = spec.headNorms === 'before' ? headNorm(g, spec, head, layer, name) : head;
    if (rotates) tensor = ggml.rope(tensor, positions, factors);
    return spec.headNorms === 'after' ? headNorm(g, spec, tensor, layer, name) : tensor;
  };
  let query = one(q, 'attn_q_norm');
  if (spec.scaledQueries) query = ggml.scale(query);
  if (inputs.queryScales) query = ggml.mul(query, inputs.queryScales);
  return { q: query, k: spec.bareKeyNorm ? ggml.rmsNorm(one(k, '')) : one(k, 'attn_k_norm'), v };
}

function rotated(g: GraphBuilder, { rotates }: AttentionSpec, layer: number): boolean {
  if (rotates === 'in-windows') return g.hparams.isSwa[layer] === true;
  return typeof rotates === 'function' ? rotates(g, layer) : rotates !== 'never';
}

function headNorm(g: GraphBuilder, spec: AttentionSpec, head: Tensor, layer: number, name: string): Tensor {
  const weight = g.layerWeight(layer, `${name}.weight`);
  if (!weight) return head;
  return g.norm(head, weight, g.layerWeight(layer, `${name}.bias`), spec.headNormKind ?? 'rms', layer);
}

function projectedHeads(g: GraphBuilder, spec: AttentionSpec, cur: Tensor, layer: number): Heads {
  if (spec.headNorms === 'rows') {
    const rows = projectRows(g, cur, layer);
    const q = headNorm(g, spec, rows.q, layer, 'attn_q_norm');
    return splitHeads(g, { q, k: headNorm(g, spec, rows.k, layer, 'attn_k_norm'), v: rows.v }, layer);
  }
  const clamped = spec.clamped === true && g.shape.keys.real('attention.clamp_kqv', 0) > 0;
  const heads = projectQkv(g, cur, layer, clamped);
  // Both are normed where the queries' weight is there, the keys then without one if need be.
  if (spec.headNorms !== 'heads-as-rows' || !g.layerWeight(layer, 'attn_q_norm.weight')) return heads;
  const normed = (head: Tensor, name: string): Tensor => {
    const [size, count, tokens] = head.ne;
    const rows = ggml.reshape(head, size * count, tokens);
    const weights = [g.layerWeight(layer, `${name}.weight`), g.layerWeight(layer, `${name}.bias`)] as const;
    return ggml.reshape(g.norm(rows, ...weights, spec.headNormKind ?? 'rms', layer), size, count, tokens);
  };
  return { q: normed(heads.q, 'attn_q_norm'), k: normed(heads.k, 'attn_k_norm'), v: heads.v };
}

/** The gate has one value a head, or one an element. */
function gated(
  g: GraphBuilder,
  attended: Tensor,
  input: Tensor,
  layer: number,
  variant: 'sigmoid' | 'softplus',
): Tensor {
  const weight = g.layerWeight(layer, 'attn_gate.weight');
  if (!weight) return attended;
  const gate = ggml.unary(g.mulMat(weight, input), variant);
  const { q: heads, v: size } = g.head(layer);
  if (weight.ne[1] !== heads) return ggml.mul(attended, gate);
  const tokens = attended.ne[1];
  const product = ggml.mul(ggml.reshape(attended, size, heads, tokens), ggml.reshape(gate, 1, heads, tokens));
  return ggml.reshape(product, size * heads, tokens);
}

/** `llama_model::get_rope_factors` (`src/llama-model.cpp`, llama.cpp v0.5.0). */
export function ropeFactors(g: GraphBuilder, layer: number): Tensor | null {
  const long = g.params.nCtxSeq > g.hparams.nCtxOrigYarn;
  return (
    g.sharedWeight(layer, 'rope_freqs.weight') ??
    g.sharedWeight(layer, long ? 'rope_factors_long.weight' : 'rope_factors_short.weight')
  );
}
