import * as ggml from '../../ggml/ops/ops.js';
import { attentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { attend } from './decoders/parts/attention-part.js';
import { mamba2Layer } from '../recurrent/mamba-layers.js';
import { feedForward } from '../projections.js';
import { recurrentInput } from '../recurrent/recurrent.js';

/** `src/models/falcon-h1.cpp` (llama.cpp v0.5.0): every layer has attention and Mamba-2 beside each other. */
export function falconH1(g: GraphBuilder): void {
  let layerInput = g.inputEmbeddings();
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const recurrent = recurrentInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    const attended = attend(g, {}, g.rmsNorm(layerInput, layer, 'attn_norm.weight'), layer, inputs);
    const scanned = mamba2Layer(g, recurrent, g.rmsNorm(layerInput, layer, 'attn_norm.weight'), layer);
    let cur = ggml.add(attended, scanned);
    let middle = ggml.add(cur, layerInput);
    if (g.isLast(layer)) middle = g.pickOutputs(middle, outIds);
    cur = g.rmsNorm(middle, layer, 'ffn_norm');
    layerInput = ggml.add(feedForward(g, cur, layer, { activation: 'silu' }), middle);
  }
  g.finishWithHead(layerInput);
}
