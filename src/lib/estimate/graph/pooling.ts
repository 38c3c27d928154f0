import { UsageError } from '../../errors.js';
import { graphError } from '../ggml/graph-error.js';
import * as ggml from '../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../ggml/tensor.js';
import type { GraphBuilder } from './builder.js';

/** `enum llama_pooling_type` (`include/llama.h`, llama.cpp v0.5.0); the others take one row a sequence. */
export const POOLING_NONE = 0;
const MEAN = 1;
const CLS = 2;
const LAST = 3;
export const POOLING_RANK = 4;

/**
 * `build_pooling` and `build_dense_out` (`src/llama-graph.cpp`, llama.cpp v0.5.0): one vector a sequence, where the context
 * is asked for embeddings.
 * @throws UsageError where llama.cpp aborts.
 */
export function pool(g: GraphBuilder): void {
  const rows = g.embeddings;
  if (!g.params.embeddings || !rows) return;
  g.pooled = g.expand(pooledRows(g, rows));
  const [first, second] = [g.weight('dense_2.weight'), g.weight('dense_3.weight')];
  if (first) g.pooled = g.addBias(ggml.mulMat(first, g.pooled), g.weight('dense_2.bias'));
  if (second) g.pooled = ggml.mulMat(second, g.pooled);
  g.expand(g.pooled);
}

function pooledRows(g: GraphBuilder, rows: Tensor): Tensor {
  switch (g.params.pooling) {
    case POOLING_NONE:
      return rows;
    case MEAN:
      return mean(g, rows);
    case POOLING_RANK:
      return classify(g, isModernBert(g) ? mean(g, rows) : oneRowEach(g, rows));
    case CLS:
    case LAST:
      return oneRowEach(g, rows);
    default:
      throw graphError(`unknown pooling type ${g.params.pooling}`);
  }
}

function mean(g: GraphBuilder, rows: Tensor): Tensor {
  if (rows.ne[1] !== g.nTokens) throw unevenPooling(rows.ne[1], g.nSeqs);
  return ggml.mulMat(ggml.cont(ggml.transpose(rows)), ggml.newInput(F32, g.nTokens, g.nSeqs));
}

function oneRowEach(g: GraphBuilder, rows: Tensor): Tensor {
  return ggml.getRows(rows, ggml.newInput(I32, g.nSeqs));
}

function isModernBert(g: GraphBuilder): boolean {
  return g.shape.architecture === 'modern-bert';
}

/** Rerankers that end with a softmax over their labels. */
const SOFTMAX_AFTER_RANK = new Set(['qwen3', 'qwen3vl']);

/** The classification head of a reranker. */
function classify(g: GraphBuilder, input: Tensor): Tensor {
  let cur = input;
  const dense = g.weight('cls.weight');
  if (dense) {
    const product = g.addBias(ggml.mulMat(dense, cur), g.weight('cls.bias'));
    cur = ggml.unary(product, isModernBert(g) ? 'gelu' : 'tanh');
  }
  const norm = dense && g.weight('cls.norm.weight');
  if (norm) cur = g.norm(cur, norm, null, 'layer', -1);
  const out = g.weight('cls.output.weight');
  if (out) cur = g.addBias(ggml.mulMat(out, cur), g.weight('cls.output.bias'));
  return SOFTMAX_AFTER_RANK.has(g.shape.architecture) ? ggml.softMax(cur) : cur;
}

function unevenPooling(ubatch: number, slots: number): UsageError {
  return new UsageError(
    'LAUNCH_MEAN_POOLING_UNEVEN',
    `llama.cpp aborts on this launch: mean pooling needs an ubatch of ${ubatch} tokens to divide evenly among ${slots} slots; choose --parallel so that it does.`,
  );
}
