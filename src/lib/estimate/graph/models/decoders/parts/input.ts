import * as ggml from '../../../../ggml/ops/ops.js';
import type { Tensor } from '../../../../ggml/tensor.js';
import type { GraphBuilder, NormKind } from '../../../builder.js';
import { scaledEmbeddingInput } from '../../../embedding-input.js';
import type { InputSpec } from '../spec.js';

/** The first layer's input, and the positions where anything reads them. */
export function decoderInput(
  g: GraphBuilder,
  { scaled, norm, positions: kind }: InputSpec,
  normKind: NormKind,
  rotates: boolean,
): { rows: Tensor; positions: Tensor | null } {
  let rows = scaled === 'tokens' ? scaledEmbeddingInput(g) : g.inputEmbeddings();
  if (typeof scaled === 'function' && scaled(g)) rows = g.expand(ggml.scale(rows));
  if (scaled === 'later') rows = ggml.scale(rows);
  if (norm !== undefined) {
    const weight = norm === null ? null : g.need(`${norm}.weight`);
    rows = g.norm(rows, weight, weight && g.weight(`${norm}.bias`), normKind, norm === null ? -1 : 0);
  }
  const learnt = kind === 'learnt' ? g.weight('position_embd.weight') : null;
  const positions = rotates || learnt ? g.inputPositions() : null;
  if (learnt && positions) rows = ggml.add(rows, ggml.getRows(learnt, positions));
  return { rows, positions };
}
