import { graphError } from '../../ggml/graph-error.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F32, I64, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';

/** Logits of a draft's smaller vocabulary, put where the target's has the same tokens (`d2t`). */
export function scatterDraftVocabulary(g: GraphBuilder, logits: Tensor): Tensor {
  const rows = g.weight('d2t');
  if (!rows) return logits;
  if (rows.type !== I64) throw graphError(`tokens by ${rows.type.name}, not I64`);
  const [draftVocab, outputs] = logits.ne;
  const { nVocab } = g.hparams;
  const all = ggml.fill(ggml.newTensor(F32, 1, nVocab, outputs));
  const scattered = ggml.setRows(
    all,
    ggml.reshape(logits, 1, draftVocab, outputs),
    ggml.reshape(rows, draftVocab, 1, 1),
  );
  return ggml.reshape(scattered, nVocab, outputs);
}
