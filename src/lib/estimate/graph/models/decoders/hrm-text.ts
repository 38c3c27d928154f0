import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ArchitectureGraph } from '../../architecture-graph.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { feedForward } from '../../projections.js';
import { attend } from './parts/attention-part.js';
import { decoderInput } from './parts/input.js';
import type { LayerInputs } from './spec.js';

/**
 * `src/models/hrm-text.cpp` (llama.cpp v0.5.0): a low and a high stack of blocks, run in cycles, each pass with a cache of
 * its own; nothing is normalised with weights.
 */
export const hrmText: ArchitectureGraph = {
  build,
  kindOf: (layer, { keys }) => {
    const perStack = keys.required('hrm.layers_per_stack');
    const pass = Math.floor(layer / perStack);
    return layer % perStack === 0 ? 1 + 2 * pass : layer % perStack === perStack - 1 ? 2 + 2 * pass : 0;
  },
};

function build(g: GraphBuilder): void {
  const { keys } = g.shape;
  const [perStack, highCycles, lowCycles] = ['layers_per_stack', 'h_cycles', 'l_cycles'].map((key) =>
    keys.required(`hrm.${key}`),
  ) as [number, number, number];
  const scaled = (): boolean => keys.real('embedding_scale', 0) !== 0;
  const { rows, positions } = decoderInput(g, { scaled }, 'rms', true);
  const inputs = { positions, attention: attentionInput(g), queryScales: null };
  const outIds = g.inputOutIds();
  let high = rows;
  let low = g.need('hrm.z_l_init');
  let first = 0;
  const pass = (): Tensor => {
    const result = stack(g, ggml.add(high, low), first, perStack, inputs);
    first += perStack;
    return result;
  };
  for (let i = 0; i < highCycles; i++) {
    for (let j = 0; j < lowCycles; j++) low = pass();
    high = pass();
  }
  const cur = g.pickOutputs(high, outIds);
  g.embeddings = cur;
  g.finish(g.mulMat(g.outputHead(), cur, g.weight('output.scale')));
}

function stack(g: GraphBuilder, input: Tensor, first: number, count: number, inputs: LayerInputs): Tensor {
  let cur = input;
  for (const layer of g.layers) {
    if (layer < first || layer >= first + count) continue;
    const attended = attend(g, { gate: 'sigmoid' }, ggml.rmsNorm(cur), layer, inputs);
    const middle = ggml.add(attended, cur);
    cur = ggml.add(feedForward(g, ggml.rmsNorm(middle), layer, { activation: 'silu' }), middle);
  }
  return ggml.rmsNorm(cur);
}
