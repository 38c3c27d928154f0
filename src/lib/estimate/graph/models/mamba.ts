import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { mamba2Layer, mambaLayer } from '../recurrent/mamba-layers.js';
import { recurrentInput, type RecurrentInput } from '../recurrent/recurrent.js';

type RecurrentLayer = (g: GraphBuilder, input: RecurrentInput, cur: Tensor, layer: number) => Tensor;

function recurrentDecoder(g: GraphBuilder, mix: RecurrentLayer): void {
  let layerInput = g.inputEmbeddings();
  const input = recurrentInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let cur = mix(g, input, g.rmsNorm(layerInput, layer, 'attn_norm.weight'), layer);
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    layerInput = ggml.add(cur, layerInput);
  }
  g.finishWithHead(layerInput);
}

/** `src/models/mamba.cpp` (llama.cpp v0.5.0). */
export function mamba(g: GraphBuilder): void {
  recurrentDecoder(g, mambaLayer);
}

/** `src/models/mamba2.cpp` (llama.cpp v0.5.0). */
export function mamba2(g: GraphBuilder): void {
  recurrentDecoder(g, mamba2Layer);
}
