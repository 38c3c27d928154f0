import * as ggml from '../ggml/ops.js';
import type { Tensor } from '../ggml/tensor.js';
import { attentionInput, type AttentionInput } from './attention.js';
import type { GraphBuilder } from './builder.js';

/** Inputs that every layer of a decoder may read. */
export interface DecoderInputs {
  readonly positions: Tensor;
  readonly attention: AttentionInput;
}

/** What differs between decoders of the form x + attention(norm(x)), then x + ffn(norm(x)). */
export interface PreNormDecoder {
  readonly attention: (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;
  readonly feedForward: (g: GraphBuilder, cur: Tensor, layer: number) => Tensor;
  /** Name of the norm before the feed-forward part. */
  readonly feedForwardNorm?: string;
  /** Residual branches are scaled (Granite). */
  readonly scaleResidual?: boolean;
  readonly finish?: (g: GraphBuilder, cur: Tensor) => void;
}

/** The common frame of llama, qwen2, qwen3 and their relatives in `src/models/*.cpp` (llama.cpp v0.5.0). */
export function preNormDecoder(g: GraphBuilder, spec: PreNormDecoder): void {
  let layerInput = g.inputEmbeddings();
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  const branch = (cur: Tensor): Tensor => (spec.scaleResidual ? ggml.scale(cur) : cur);
  for (let layer = 0; layer < g.hparams.nLayer; layer++) {
    let residual = layerInput;
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    cur = spec.attention(g, cur, layer, inputs);
    if (layer === g.hparams.nLayer - 1) {
      cur = g.pickOutputs(cur, outIds);
      residual = g.pickOutputs(residual, outIds);
    }
    const middle = ggml.add(branch(cur), residual);
    cur = g.rmsNorm(middle, layer, spec.feedForwardNorm ?? 'ffn_norm.weight');
    cur = spec.feedForward(g, cur, layer);
    layerInput = ggml.add(branch(cur), middle);
  }
  if (spec.finish) spec.finish(g, layerInput);
  else g.finishWithHead(layerInput);
}
