import type { GraphBuilder } from '../../builder.js';
import { mamba2Layer } from '../../recurrent/mamba-layers.js';
import { recurrentInput } from '../../recurrent/recurrent.js';
import { attend } from './parts/attention-part.js';
import { deepstackBeforeMapped } from './parts/deepstack.js';
import type { AttentionSpec, DecoderSpec } from './spec.js';

const scales =
  (key: string, fallback = 0) =>
  (g: GraphBuilder): boolean =>
    g.shape.keys.real(key, fallback) !== 0;

const attention: AttentionSpec = { rotates: (g) => g.shape.keys.boolean('rope.scaling.finetuned', true) };
const scaled: DecoderSpec = {
  input: { scaled: scales('embedding_scale') },
  scaledBranches: scales('residual_scale'),
};

/** `src/models/granite.cpp` (llama.cpp v0.5.0): embeddings, branches and logits are scaled. */
const granite: DecoderSpec = {
  ...scaled,
  attention,
  feedForward: { experts: {} },
  head: { scaled: 'always' },
  ...deepstackBeforeMapped,
};

/** `attention.rope_pattern`, every layer where the header has none. */
function rotatesByPattern(g: GraphBuilder, layer: number): boolean {
  return g.shape.keys.flags('attention.rope_pattern', g.hparams.nLayerAll)?.[layer] ?? true;
}

/** `src/models/granite-hybrid.cpp` (llama.cpp v0.5.0): layers without KV heads are Mamba-2. */
function graniteHybrid(g: GraphBuilder): DecoderSpec {
  const recurrent = recurrentInput(g);
  return {
    ...scaled,
    attention: (_, cur, layer, inputs) =>
      g.hparams.isRecurrent[layer] ? mamba2Layer(g, recurrent, cur, layer) : attend(g, attention, cur, layer, inputs),
    feedForward: { experts: { scaled: true } },
    head: { scaled: 'if-given' },
  };
}

export const GRANITE_SPECS: Readonly<Record<string, DecoderSpec | ((g: GraphBuilder) => DecoderSpec)>> = {
  granitehybrid: graniteHybrid,
  granite,
  granitemoe: granite,
  granite_swa: {
    ...granite,
    attention: { rotates: rotatesByPattern },
    kindOf: (layer, { hparams, keys }) =>
      2 * (hparams.deepstackOf[layer + 1] ?? -1) +
      Number(keys.flags('attention.rope_pattern', hparams.nLayerAll)?.[layer] ?? true),
  },
  /** Factors that the header need not state: `src/models/minicpm.cpp`. */
  minicpm: {
    ...granite,
    input: { scaled: scales('embedding_scale', 12) },
    attention: {},
    scaledBranches: scales('residual_scale', 1.4),
  },
};
