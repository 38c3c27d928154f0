import * as ggml from '../ggml/ops/ops.js';
import type { Tensor } from '../ggml/tensor.js';
import { attention } from './attention/attention.js';
import { attentionInput, type AttentionInput } from './attention/attention-input.js';
import type { AttentionOptions } from './attention/multi-head.js';
import type { GraphBuilder, NormKind } from './builder.js';
import { type Heads, projectQkv } from './projections.js';

/** Inputs that every layer of a decoder may read. */
export interface DecoderInputs {
  readonly positions: Tensor;
  readonly attention: AttentionInput;
}

type LayerPart = (g: GraphBuilder, cur: Tensor, layer: number) => Tensor;

/** What differs between decoders of the form x + attention(norm(x)), then x + ffn(norm(x)). */
export interface Decoder {
  readonly attention: (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;
  readonly feedForward: LayerPart;
  readonly inputs?: (g: GraphBuilder) => Tensor;
  readonly attentionInput?: (g: GraphBuilder) => AttentionInput;
  readonly norm?: NormKind;
  /** Names of the norms; null = none there. */
  readonly attentionNorm?: string | null | ((layer: number) => string | null);
  readonly postAttentionNorm?: string;
  readonly feedForwardNorm?: string | null;
  readonly postFeedForwardNorm?: string;
  /** Applied to both branches before they are added (Granite). */
  readonly branch?: (cur: Tensor) => Tensor;
  /** The second sum has the residual as its first operand (Phi-3). */
  readonly residualFirst?: boolean;
  /** Rows without output are dropped after the last layer, not inside it. */
  readonly pickAfterLayers?: boolean;
  /** Where a draft reads every row, rows are dropped after the final norm: `embeddings_nextn`. */
  readonly keepsForDraft?: boolean;
  readonly finish?: (g: GraphBuilder, cur: Tensor) => void;
}

/** The common frame of llama, qwen2, gemma2 and their relatives in `src/models/*.cpp` (llama.cpp v0.5.0). */
export function decoder(g: GraphBuilder, spec: Decoder): void {
  const { attentionNorm = 'attn_norm', feedForwardNorm = 'ffn_norm', branch = (cur: Tensor): Tensor => cur } = spec;
  const nameOf = typeof attentionNorm === 'function' ? attentionNorm : (): string | null => attentionNorm;
  const normed = (cur: Tensor, layer: number, name: string | null | undefined, pinned = layer): Tensor =>
    name ? optionalBiasNorm(g, cur, layer, name, pinned, spec.norm) : cur;
  let layerInput = spec.inputs ? spec.inputs(g) : g.inputEmbeddings();
  const inputs: DecoderInputs = {
    positions: g.inputPositions(),
    attention: (spec.attentionInput ?? attentionInput)(g),
  };
  const outIds = g.inputOutIds();
  const picksLate = spec.keepsForDraft === true && g.params.role.keepsAllRows;
  for (const layer of g.layers) {
    g.tapInput(layer, layerInput);
    let residual = layerInput;
    let cur = normed(layerInput, layer, nameOf(layer));
    cur = spec.attention(g, cur, layer, inputs);
    if (g.isLast(layer) && !picksLate && (!spec.pickAfterLayers || dropsEarly(g))) {
      cur = g.pickOutputs(cur, outIds);
      residual = g.pickOutputs(residual, outIds);
    }
    cur = normed(cur, layer, spec.postAttentionNorm);
    const middle = ggml.add(branch(cur), residual);
    cur = normed(middle, layer, feedForwardNorm);
    cur = spec.feedForward(g, cur, layer);
    cur = branch(normed(cur, layer, spec.postFeedForwardNorm, -1));
    layerInput = g.steer(spec.residualFirst ? ggml.add(middle, cur) : ggml.add(cur, middle), layer);
  }
  if (spec.pickAfterLayers) {
    g.keepHidden(layerInput);
    layerInput = cropLate(g, layerInput, outIds);
  }
  if (picksLate) finishKeepingRows(g, layerInput, outIds);
  else if (spec.finish) spec.finish(g, layerInput);
  else g.finishWithHead(layerInput);
}

/**
 * `crop_before_nextn` (`src/llama-graph.h`): from b11435..b12032 on, rows without output are dropped inside the last layer,
 * after its attention, where no draft head reads them.
 */
export function cropEarly(g: GraphBuilder, layer: number, cur: Tensor, outIds: Tensor): Tensor {
  return g.isLast(layer) && dropsEarly(g) ? g.pickOutputs(cur, outIds) : cur;
}

/** `crop_after_nextn`: before, they were dropped only when what a draft head might read had been kept. */
export function cropLate(g: GraphBuilder, cur: Tensor, outIds: Tensor): Tensor {
  return dropsEarly(g) ? cur : g.pickOutputs(cur, outIds);
}

/** Rows without output are dropped inside the last layer although others keep them for a draft head. */
export function dropsEarly(g: GraphBuilder): boolean {
  return g.params.llama.cropsEarly || !g.keepsHidden;
}

/** All rows of the final norm are kept for a draft head. */
export function finishKeepingHidden(g: GraphBuilder, cur: Tensor, outIds: Tensor): void {
  const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
  g.keepHidden(normed);
  const picked = cropLate(g, normed, outIds);
  g.embeddings = picked;
  g.finish(g.mulMat(g.outputHead(), picked, g.weight('output.scale')));
}

/** All rows of the final norm are kept, and rows without output dropped only then. */
function finishKeepingRows(g: GraphBuilder, cur: Tensor, outIds: Tensor): void {
  const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
  g.keepHidden(normed);
  const picked = g.pickOutputs(normed, outIds);
  g.embeddings = picked;
  g.finish(g.mulMat(g.outputHead(), picked, g.weight('output.scale')));
}

/** Rows without output were dropped in the last layer; the final norm is kept for a draft head. */
export function finishKeepingNormed(g: GraphBuilder, cur: Tensor): void {
  const normed = g.norm(cur, g.need('output_norm.weight'), null, 'rms', -1);
  g.keepHidden(normed);
  g.embeddings = normed;
  g.finish(g.mulMat(g.outputHead(), normed, g.weight('output.scale')));
}

function optionalBiasNorm(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  name: string,
  pinned: number,
  kind: NormKind = 'rms',
): Tensor {
  return g.norm(cur, g.layerNeed(layer, `${name}.weight`), g.layerWeight(layer, `${name}.bias`), kind, pinned);
}

export interface RotaryAttention {
  /** Each head of Q and K is normalised before the rotation (Qwen3, Gemma 3). */
  readonly headNorms?: boolean;
  readonly factors?: (g: GraphBuilder, layer: number) => Tensor | null;
  /** Layers that are not rotated at all. */
  readonly rotates?: (g: GraphBuilder, layer: number) => boolean;
  /** Q is scaled by itself, not inside the attention. */
  readonly scaleQ?: boolean;
  readonly options?: (g: GraphBuilder, layer: number) => AttentionOptions;
}

/** Attention over rotated Q and K, as most decoders have it. */
export function rotaryAttention(spec: RotaryAttention = {}): Decoder['attention'] {
  return (g, cur, layer, inputs) => {
    const factors = spec.factors?.(g, layer) ?? null;
    const heads = projectQkv(g, cur, layer);
    const rotates = spec.rotates?.(g, layer) ?? true;
    const prepare = (head: Tensor, norm: string): Tensor => {
      const input = spec.headNorms ? g.rmsNorm(head, layer, norm) : head;
      return rotates ? ggml.rope(input, inputs.positions, factors) : input;
    };
    const q = prepare(heads.q, 'attn_q_norm.weight');
    const k = prepare(heads.k, 'attn_k_norm.weight');
    const rotated: Heads = { q: spec.scaleQ ? ggml.scale(q) : q, k, v: heads.v };
    return attention(g, inputs.attention, layer, rotated, spec.options?.(g, layer));
  };
}

/** `llama_model::get_rope_factors` (`src/llama-model.cpp`). */
export function ropeFactors(g: GraphBuilder, layer: number): Tensor | null {
  const long = g.params.nCtxSeq > g.hparams.nCtxOrigYarn;
  return (
    g.sharedWeight(layer, 'rope_freqs.weight') ??
    g.sharedWeight(layer, long ? 'rope_factors_long.weight' : 'rope_factors_short.weight')
  );
}
