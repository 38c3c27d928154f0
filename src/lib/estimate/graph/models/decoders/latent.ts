import { UsageError } from '../../../../errors.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attention } from '../../attention/attention.js';
import type { GraphBuilder } from '../../builder.js';
import { ropeFactors } from './parts/attention-part.js';
import { expandedHeads } from '../deepseek2.js';
import type { DecoderInputs } from '../../attention/attention-input.js';
import type { DecoderSpec } from './spec.js';

function attendExpanded(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  { positions, attention: input }: DecoderInputs,
  adapt: (g: GraphBuilder, v: Tensor) => Tensor,
): Tensor {
  const heads = expandedHeads(g, cur, layer, positions, ropeFactors(g, layer));
  return attention(g, input, layer, { ...heads, v: adapt(g, heads.v) });
}

/**
 * Values of a token as one row. llama.cpp then stores the whole batch as one token's, which only the transposed cache has
 * room for.
 * @throws UsageError with flash attention
 */
function valuesAsRows(g: GraphBuilder, v: Tensor): Tensor {
  if (g.flashAttn) {
    throw new UsageError(
      'LAUNCH_FLASH_ATTN_ABORTS',
      'llama.cpp aborts on this launch: it cannot store the values of a PLM model with flash attention; add --flash-attn off.',
    );
  }
  const [size, heads, tokens] = v.ne;
  return ggml.view2d(v, size * heads, tokens, v.nb[2], 0);
}

/** Decoders that compress K and V to a latent row, but cache them expanded. */
export const LATENT_SPECS: Readonly<Record<string, DecoderSpec>> = {
  /** `src/models/minicpm3.cpp` (llama.cpp v0.5.0). */
  minicpm3: {
    input: { scaled: 'later' },
    attention: (g, cur, layer, inputs) => attendExpanded(g, cur, layer, inputs, (_, v) => v),
    scaledBranches: () => true,
    head: { scaledRows: true },
  },
  /** `src/models/plm.cpp` (llama.cpp v0.5.0). */
  plm: {
    attention: (g, cur, layer, inputs) => attendExpanded(g, cur, layer, inputs, valuesAsRows),
    feedForward: { activation: 'relu_sqr' },
  },
};
