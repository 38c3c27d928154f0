import { CheckIncompleteError, UsageError } from '../../../../errors.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I32, type Tensor } from '../../../ggml/tensor.js';
import { attention } from '../../attention/attention.js';
import { attentionInput, batchAttentionInput, type AttentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { feedForward, projectQkv } from '../../projections.js';

/** `src/models/t5encoder.cpp` (llama.cpp v0.5.0): a KV cache is made, but the batch attends to itself alone. */
export function t5Encoder(g: GraphBuilder): void {
  g.blocks = 'enc.blk';
  let layerInput = g.inputEmbeddings();
  const buckets = ggml.newInput(I32, g.nTokens, g.nTokens);
  const input = batchAttentionInput(g);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    const heads = projectQkv(g, cur, layer);
    cur = attention(g, input, layer, heads, { bias: positionBias(g, buckets, layer), output: 'attn_o' });
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    layerInput = fed(g, ggml.add(cur, layerInput), layer);
  }
  g.finishWithEmbeddings(layerInput, 'rms', 'enc.output_norm');
}

/**
 * The decoder of `src/models/t5.cpp` (llama.cpp v0.5.0), which memory is reserved for; it also attends to what the encoder
 * made of a prompt of the full training length.
 * @throws UsageError where llama.cpp aborts.
 */
export function t5(g: GraphBuilder): void {
  const cache = g.memory.base;
  if (!cache || cache.streams > 1) throw separateSlots();
  g.blocks = 'dec.blk';
  const { nCtxTrain, nEmbd, nLayer } = g.hparams;
  const last = g.shape.keys.number('decoder_block_count', nLayer) - 1;
  if (last >= nLayer) throw deeperDecoder(last + 1, nLayer);
  let layerInput = g.inputEmbeddings();
  const encoded = ggml.newInput(F32, nEmbd, nCtxTrain);
  const buckets = ggml.newInput(I32, cache.cells, g.nTokens);
  const self = attentionInput(g);
  const cross = crossInput(g, nCtxTrain);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    if (layer > last) continue;
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    const heads = projectQkv(g, cur, layer);
    cur = attention(g, self, layer, heads, { bias: positionBias(g, buckets, layer), output: 'attn_o' });
    let middle = ggml.add(cur, layerInput);
    cur = crossAttention(g, g.rmsNorm(middle, layer, 'cross_attn_norm.weight'), encoded, layer, cross);
    if (layer === last) {
      cur = g.pickOutputs(cur, outIds);
      middle = g.pickOutputs(middle, outIds);
    }
    layerInput = fed(g, ggml.add(cur, middle), layer);
  }
  const normed = g.norm(layerInput, g.need('dec.output_norm.weight'), null, 'rms', -1);
  g.embeddings = normed;
  g.finish(g.mulMat(g.outputHead(), normed, g.weight('output.scale')));
}

/** `build_attn_inp_cross` (`src/llama-graph.cpp`). */
function crossInput(g: GraphBuilder, nEncoded: number): AttentionInput {
  const mask = ggml.newInput(g.flashAttn ? F16 : F32, nEncoded, g.nTokens);
  return { full: null, sliding: null, batchMask: mask, batchSlidingMask: null, isCross: true };
}

function crossAttention(g: GraphBuilder, cur: Tensor, encoded: Tensor, layer: number, input: AttentionInput): Tensor {
  const { k: size, q: heads, kv: kvHeads } = g.head(layer);
  const projected = (name: string, from: Tensor, count: number): Tensor =>
    ggml.reshape(g.mulMat(g.layerNeed(layer, `cross_attn_${name}.weight`), from), size, count, from.ne[1]);
  const q = projected('q', cur, heads);
  const k = projected('k', encoded, kvHeads);
  const v = projected('v', encoded, kvHeads);
  return attention(g, input, layer, { q, k, v }, { output: 'cross_attn_o' });
}

/** `build_pos_bias` (`src/llama-graph.cpp`); layers without a table of their own use the first's. */
function positionBias(g: GraphBuilder, buckets: Tensor, layer: number): Tensor {
  const table = g.layerWeight(layer, 'attn_rel_b.weight') ?? g.layerNeed(0, 'attn_rel_b.weight');
  const [cells, tokens] = buckets.ne;
  const rows = ggml.getRows(table, ggml.reshape(buckets, cells * tokens));
  return ggml.cont(ggml.permute(ggml.reshape(rows, rows.ne[0], cells, tokens), 2, 0, 1, 3));
}

function fed(g: GraphBuilder, input: Tensor, layer: number): Tensor {
  const gated = g.layerWeight(layer, 'ffn_gate.weight') !== null;
  const normed = g.rmsNorm(input, layer, 'ffn_norm.weight');
  return ggml.add(feedForward(g, normed, layer, { activation: gated ? 'gelu' : 'relu' }), input);
}

function deeperDecoder(decoder: number, encoder: number): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_DECODER_TOO_DEEP',
    `llama.cpp cannot run a T5 whose decoder (${decoder} layers) is deeper than its encoder (${encoder}); use another model.`,
  );
}

function separateSlots(): UsageError {
  return new UsageError(
    'LAUNCH_SLOTS_NEED_UNIFIED_KV',
    'llama.cpp aborts on this launch: the position bias of T5 needs one KV cache for all slots; use --kv-unified or one slot.',
  );
}
