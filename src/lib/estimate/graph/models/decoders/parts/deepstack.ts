import * as ggml from '../../../../ggml/ops/ops.js';
import type { DecoderSpec } from '../spec.js';

/** Image features are added to the outputs of the first layers (Qwen3-VL), one after another. */
export const deepstackAfterFirst: Pick<DecoderSpec, 'afterLayer' | 'kindOf'> = {
  afterLayer: (g, cur, layer) => (layer < g.hparams.nDeepstackLayers ? ggml.add(cur, g.deepstackRows(layer + 1)) : cur),
  kindOf: (layer, { hparams }) => (layer < hparams.nDeepstackLayers ? 1 : 0),
};

/** Image features are added to what the layers read that the header maps them to (Granite Vision), never the first. */
export const deepstackBeforeMapped: Pick<DecoderSpec, 'afterLayer' | 'kindOf'> = {
  afterLayer: (g, cur, layer) => {
    const index = g.hparams.deepstackOf[layer + 1] ?? -1;
    return index >= 0 ? ggml.add(cur, g.deepstackRows(index)) : cur;
  },
  kindOf: (layer, { hparams }) => hparams.deepstackOf[layer + 1] ?? -1,
};
