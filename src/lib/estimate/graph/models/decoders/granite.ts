import type { GraphBuilder } from '../../builder.js';
import { deepstackBeforeMapped } from './parts/deepstack.js';
import type { DecoderSpec } from './spec.js';

const scales =
  (key: string, fallback = 0) =>
  (g: GraphBuilder): boolean =>
    g.shape.keys.number(key, fallback) !== 0;

/** `src/models/granite.cpp` (llama.cpp v0.5.0): embeddings, branches and logits are scaled. */
const granite: DecoderSpec = {
  input: { scaled: scales('embedding_scale') },
  attention: { rotates: (g) => g.shape.keys.boolean('rope.scaling.finetuned', true) },
  feedForward: { experts: {} },
  scaledBranches: scales('residual_scale'),
  head: { scaled: 'always' },
  ...deepstackBeforeMapped,
};

/** `attention.rope_pattern`, every layer where the header has none. */
function rotatesByPattern(g: GraphBuilder, layer: number): boolean {
  return g.shape.keys.flags('attention.rope_pattern', g.hparams.nLayerAll)?.[layer] ?? true;
}

export const GRANITE_SPECS: Readonly<Record<string, DecoderSpec>> = {
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
