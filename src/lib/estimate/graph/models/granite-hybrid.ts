import * as ggml from '../../ggml/ops/ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { decoder, ropeFactors, rotaryAttention } from '../decoder.js';
import { feedForward } from '../projections.js';
import { mamba2Layer } from '../recurrent/mamba-layers.js';
import { recurrentInput } from '../recurrent/recurrent.js';
import { withSharedExperts } from './shared-experts.js';

/** `src/models/granite-hybrid.cpp` (llama.cpp v0.5.0): layers without KV heads are Mamba-2. */
export function graniteHybrid(g: GraphBuilder): void {
  const { keys } = g.shape;
  const scaled = (key: string) => (cur: Tensor) => (keys.number(key, 0) === 0 ? cur : ggml.scale(cur));
  const rotates = keys.boolean('rope.scaling.finetuned', true);
  const attend = rotaryAttention({ factors: rotates ? ropeFactors : () => null, rotates: () => rotates });
  const recurrent = recurrentInput(g);
  decoder(g, {
    inputs: () => g.expand(scaled('embedding_scale')(g.inputEmbeddings())),
    attention: (_, cur, layer, inputs) =>
      g.hparams.isRecurrent[layer] ? mamba2Layer(g, recurrent, cur, layer) : attend(g, cur, layer, inputs),
    feedForward: (_, cur, layer) =>
      g.layerWeight(layer, 'ffn_gate_inp.weight')
        ? withSharedExperts(g, cur, layer, { normalise: true })
        : feedForward(g, cur, layer, { activation: 'silu' }),
    branch: scaled('residual_scale'),
    finish: (_, cur) => g.finishWithHead(cur, 'rms', scaled('logit_scale')),
  });
}
