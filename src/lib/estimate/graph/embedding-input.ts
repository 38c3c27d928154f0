import * as ggml from '../ggml/ops/ops.js';
import { F32, I32, I64, type Tensor } from '../ggml/tensor.js';
import type { GraphBuilder } from './builder.js';

/** `llm_arch_supports_mixed_batch` (`src/llama-arch.cpp`, b12032) denies it to these. */
const NEVER_MIXED: ReadonlySet<string> = new Set([
  'cogvlm',
  'deepseek4',
  'deepseek41',
  'graniteswitch',
  'eagle3',
  'dflash',
  'gemma4-assistant',
  'limite',
]);

/**
 * `build_inp_embd` (`src/llama-graph.cpp`): a row of the token embedding for each token, and an input for embeddings that are
 * given, with room for image features beside them; one of them is used. From b11394..b11401 on a third way mixes both (`mixedInput`), and from b11435..b11548 on the
 * rows are looked up before anything else (`lookupsFirst`).
 */
export function embeddingInput(g: GraphBuilder): Tensor {
  const { mixedInput, lookupsFirst } = g.params.llama;
  const mixed = mixedInput && !NEVER_MIXED.has(g.shape.architecture);
  // CodeShell's files may hold the matrix only as what tokens are read from at the end.
  const table = g.weight('token_embd.weight') ?? g.need('output.weight');
  const width = g.nEmbd * (1 + g.hparams.nDeepstackLayers);
  const look = (): Tensor => ggml.getRows(table, (g.tokens = ggml.newInput(I32, g.nTokens)));
  const given = (): Tensor => ggml.newInput(F32, width, g.nTokens);
  const widened = (rows: Tensor): Tensor => (width > g.nEmbd ? ggml.padTo(rows, [width, g.nTokens, 1, 1]) : rows);

  const rows = look();
  const embeddings = given();
  const mixedRows = mixed ? look() : null;
  if (lookupsFirst) {
    g.expand(rows);
    if (mixedRows) g.expand(mixedRows);
  }
  const chosen = g.expand(widened(rows));
  g.expand(embeddings);
  if (mixedRows) {
    const slots = ggml.newInput(I64, g.nTokens);
    g.expand(ggml.setRows(ggml.dup(given()), widened(mixedRows), slots));
  }
  return chosen;
}

/** The same for models that scale tokens' rows but not embeddings that are given: a factor a row where both can be mixed. */
export function scaledEmbeddingInput(g: GraphBuilder): Tensor {
  const rows = g.inputEmbeddings();
  if (!g.params.llama.mixedInput) return ggml.scale(rows);
  return g.expand(ggml.mul(rows, ggml.newInput(F32, 1, g.nTokens)));
}
