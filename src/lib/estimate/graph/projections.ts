import * as ggml from '../ggml/ops/ops.js';
import type { GluOp, UnaryOp } from '../ggml/ops/ops.js';
import type { Tensor } from '../ggml/tensor.js';
import type { GraphBuilder } from './builder.js';

export interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/**
 * `build_qkv` (`src/llama-graph.cpp`, llama.cpp v0.5.0): one fused matrix, or three, biases where the file has them, each
 * result clamped where the model wants that.
 */
export function projectQkv(g: GraphBuilder, cur: Tensor, layer: number, clamped = false): Heads {
  const clamp = (tensor: Tensor): Tensor => (clamped ? ggml.clamp(tensor) : tensor);
  const { k: headK, v: headV, q: nHead, kv: nHeadKv } = g.head(layer);
  const fused = g.layerWeight(layer, 'attn_qkv.weight');
  if (fused) {
    const qkv = clamp(fusedRows(g, fused, cur, layer));
    const view = (size: number, heads: number, offset: number): Tensor =>
      ggml.view3d(qkv, [size, heads, g.nTokens], ggml.rowSize(qkv, size), qkv.nb[1], ggml.rowSize(qkv, offset));
    return {
      q: view(headK, nHead, 0),
      k: view(headK, nHeadKv, headK * nHead),
      v: view(headV, nHeadKv, headK * nHead + headK * nHeadKv),
    };
  }
  const { q, k, v } = projectRows(g, cur, layer);
  return splitHeads(g, { q: clamp(q), k: clamp(k), v: clamp(v) }, layer);
}

/** One matrix for Q, K and V; its biases may still be three. */
function fusedRows(g: GraphBuilder, fused: Tensor, cur: Tensor, layer: number): Tensor {
  const product = g.mulMat(fused, cur, g.layerWeight(layer, 'attn_qkv.scale'));
  const bias = g.layerWeight(layer, 'attn_qkv.bias');
  if (bias) return ggml.add(product, bias);
  const [q, k, v] = ['q', 'k', 'v'].map((name) => g.layerWeight(layer, `attn_${name}.bias`));
  return q && k && v ? ggml.add(product, ggml.concat(ggml.concat(q, k, 0), v, 0)) : product;
}

/** `build_qkv` without splitting into heads: rows of all heads, for norms over the whole row. */
export function projectRows(g: GraphBuilder, cur: Tensor, layer: number, headQ = g.head(layer).k): Heads {
  const { k: headK, v: headV, q: nHead, kv: nHeadKv } = g.head(layer);
  const fused = g.layerWeight(layer, 'attn_qkv.weight');
  if (!fused) {
    return {
      q: projected(g, cur, layer, 'attn_q'),
      k: projected(g, cur, layer, 'attn_k'),
      v: projected(g, cur, layer, 'attn_v'),
    };
  }
  const qkv = fusedRows(g, fused, cur, layer);
  const rows = (width: number, offset: number): Tensor =>
    ggml.view2d(qkv, width, g.nTokens, qkv.nb[1], ggml.rowSize(qkv, offset));
  const q = rows(headQ * nHead, 0);
  const k = rows(headK * nHeadKv, headQ * nHead);
  const v = rows(headV * nHeadKv, headQ * nHead + headK * nHeadKv);
  return { q: ggml.cont(q), k: ggml.cont(k), v: ggml.cont(v) };
}

/** Rows of all heads as [head size, heads, tokens]. */
export function splitHeads(g: GraphBuilder, { q, k, v }: Heads, layer: number): Heads {
  const { k: headK, v: headV, q: nHead, kv: nHeadKv } = g.head(layer);
  return {
    q: ggml.reshape(q, headK, nHead, g.nTokens),
    k: ggml.reshape(k, headK, nHeadKv, g.nTokens),
    v: ggml.reshape(v, headV, nHeadKv, g.nTokens),
  };
}

/** One matrix with its optional scale and bias. */
export function projected(g: GraphBuilder, cur: Tensor, layer: number, name: string): Tensor {
  const product = g.mulMat(g.layerNeed(layer, `${name}.weight`), cur, g.layerWeight(layer, `${name}.scale`));
  return g.addBias(product, g.layerWeight(layer, `${name}.bias`));
}

export type Activation = 'silu' | 'gelu' | 'relu' | 'relu_sqr' | 'xielu' | 'swiglu' | 'geglu' | 'reglu' | 'swiglu_oai';

/** Activations of a gate beside the up projection. */
export const GATED: Partial<Record<Activation, GluOp>> = {
  silu: 'swiglu',
  gelu: 'geglu',
  relu: 'reglu',
  swiglu_oai: 'swiglu_oai',
};

export interface FeedForward {
  readonly activation: Activation;
  /** Suffix of the tensors' names: '' or '_shexp'. */
  readonly suffix?: string;
  /** `LLM_FFN_SEQ`: the gate reads the up projection, not the input. */
  readonly sequential?: boolean;
  /** Gate and up are kept within limits, each by itself, before they are multiplied. */
  readonly clamped?: boolean | 'fused';
  /** Up to the activation only. */
  readonly withoutDown?: boolean;
}

/** `build_ffn`: up, optional gate beside it, activation, down; biases and scales where the file has them. */
export function feedForward(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  { activation, suffix = '', clamped, withoutDown }: FeedForward,
): Tensor {
  const part = (name: string, input: Tensor): Tensor | null => {
    const weight = g.layerWeight(layer, `ffn_${name}${suffix}.weight`);
    if (!weight) return null;
    let product = g.addBias(g.mulMat(weight, input), g.layerWeight(layer, `ffn_${name}${suffix}.bias`));
    const scale = g.layerWeight(layer, `ffn_${name}${suffix}.scale`);
    if (scale) product = ggml.mul(product, scale);
    return product;
  };
  const up = part('up', cur) ?? cur;
  const gate = part('gate', cur);
  const combine = clamped === 'fused' ? fusedClamp : clamped ? clampedSwiglu : gated;
  const activated = gate ? combine(gate, up, activation) : activate(up, activation);
  return (withoutDown ? null : part('down', activated)) ?? activated;
}

function fusedClamp(gate: Tensor, up: Tensor): Tensor {
  return ggml.glu(gate, up, 'swiglu_clamp');
}

function gated(gate: Tensor, up: Tensor, activation: Activation): Tensor {
  const glu = GATED[activation];
  if (glu) return ggml.glu(gate, up, glu);
  return ggml.mul(activate(gate, activation), up);
}

/** `swiglu_clamp_exp`, `swiglu_clamp_shexp`: op by op, not `GGML_GLU_OP_SWIGLU_CLAMP`. */
export function clampedSwiglu(gate: Tensor, up: Tensor): Tensor {
  return ggml.mul(ggml.clamp(ggml.unary(gate, 'silu')), ggml.clamp(up));
}

/** Activation without a gate of its own; `swiglu` and `geglu` find both halves in one row. */
export function activate(cur: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case 'relu_sqr':
      return ggml.sqr(ggml.unary(cur, 'relu'));
    case 'swiglu':
    case 'geglu':
    case 'reglu':
    case 'swiglu_oai':
      return ggml.glu(cur, null, activation);
    default:
      return ggml.unary(cur, activation satisfies UnaryOp);
  }
}
