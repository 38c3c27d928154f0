import * as ggml from '../../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import type { GraphBuilder } from '../../builder.js';
import { convolutionWindow, type RecurrentInput } from '../../recurrent/recurrent.js';

/** `build_inp_ple` (`src/models/qwen4exp.cpp`, llama.cpp v0.5.0): rows of a table for each token and those before it. */
export function ngramEmbeddings(g: GraphBuilder): Tensor | null {
  const { keys } = g.shape;
  if (keys.list('ple.layers').length === 0) return null;
  const heads = (keys.required('ple.ngram_size') - 1) * keys.required('ple.heads_per_ngram');
  const rows = ggml.getRows(g.need('per_layer_token_embd.weight'), ggml.newInput(I32, heads * g.nTokens));
  return g.expand(ggml.reshape(rows, rows.ne[0] * heads, g.nTokens));
}

/** `build_ple`: what the table says, gated by each stream and convolved over the tokens, onto the streams. */
export function ngramBranch(
  g: GraphBuilder,
  input: RecurrentInput,
  embeddings: Tensor,
  all: Tensor,
  layer: number,
): Tensor {
  const [nEmbd, streams, tokens] = all.ne;
  const width = nEmbd * streams;
  const weight = (name: string): Tensor => g.layerNeed(layer, `ple_${name}.weight`);
  const key = g.mulMat(weight('key'), embeddings);
  const value = g.mulMat(weight('value'), embeddings);
  const normed = (x: Tensor, name: string): Tensor =>
    ggml.mul(ggml.rmsNorm(ggml.reshape(x, nEmbd, streams, tokens)), weight(name));
  const product = ggml.mul(normed(key, 'norm_key'), normed(all, 'norm_query'));
  const score = ggml.scale(ggml.sumRows(product));
  const magnitude = ggml.sqrt(ggml.clamp(ggml.unary(score, 'abs')));
  const gate = ggml.unary(ggml.mul(ggml.unary(score, 'sgn'), magnitude), 'sigmoid');
  const repeated = ggml.repeat(ggml.reshape(value, nEmbd, 1, tokens), [nEmbd, streams, tokens, 1]);
  const gated = ggml.mul(repeated, gate);
  const rows = ggml.reshape(normed(ggml.reshape(gated, width, tokens), 'norm_conv'), width, tokens);
  const convolved = ggml.unary(convolve(g, input, rows, layer), 'silu');
  const added = ggml.reshape(ggml.cont(convolved), nEmbd, streams, tokens);
  return ggml.add(all, ggml.add(gated, added));
}

/** A convolution that skips as many tokens as an n-gram has, term by term. */
function convolve(g: GraphBuilder, input: RecurrentInput, rows: Tensor, layer: number): Tensor {
  const kernel = g.layerNeed(layer, 'ple_conv1d.weight');
  const taps = g.shape.keys.required('ple.conv_kernel');
  const step = g.shape.keys.required('ple.ngram_size');
  const { nSeqTokens, nSeqs } = g;
  const width = rows.ne[0];
  const state = input.cache.layers.get(layer)?.ngrams;
  if (!state) throw graphError(`layer ${layer} has no state of n-grams`);
  const current = ggml.transpose(ggml.reshape(rows, width, nSeqTokens, nSeqs));
  const window = convolutionWindow(g, input, g.cacheTensor(state), current, (taps - 1) * step, true);
  const terms = Array.from({ length: taps }, (_, tap) => {
    const offset = ggml.rowSize(window, tap * step);
    const tokens = ggml.view3d(window, [nSeqTokens, width, nSeqs], window.nb[1], window.nb[2], offset);
    const shifted = ggml.cont(ggml.transpose(tokens));
    const column = ggml.cont(ggml.view2d(kernel, 1, width, kernel.nb[1], tap * kernel.nb[0]));
    const weights = ggml.reshape(column, width);
    return ggml.mul(shifted, weights.type === F32 ? weights : ggml.cast(weights, F32));
  });
  return terms.reduce((sum, term) => ggml.add(sum, term));
}
