import { lightningIndexer, topK } from '../../../ggml/ops/sparse-ops.js';
import * as ggml from '../../../ggml/ops/ops.js';
import { F16, F32, I64, type Tensor } from '../../../ggml/tensor.js';
import { graphError } from '../../../ggml/graph-error.js';
import { cacheMask, maskType, rotationInput } from '../../attention/attention-input.js';
import { keyRotation, keyRows, storeK } from '../../attention/kv-store.js';
import { multiHead } from '../../attention/multi-head.js';
import type { GraphBuilder } from '../../builder.js';
import { gatingOf } from '../../experts/experts.js';
import { maskOfBest, type StoredKeys } from '../../attention/indexer.js';
import { nextTokenInputs, nextTokenLogits, nextTokenNorm } from '../../draft-heads/draft-head.js';
import { limited, withSharedExperts } from '../../experts/shared-experts.js';
import {
  type CompressedInput,
  compressedInput,
  compressedKeys,
  type Compressor,
  compressor,
  storeCompressed,
} from './compressed-keys.js';
import { reduceStreams, spread, streamsHead } from './hyper-connections.js';

type WindowInput = StoredKeys & { readonly mask: Tensor; readonly rotation: Tensor | null };

/** `llm_graph_input_dsv4` (`src/llama-graph.h`, llama.cpp v0.5.0), and the positions. */
interface Inputs {
  readonly positions: Tensor;
  readonly raw: WindowInput;
  readonly overlapping: CompressedInput;
  readonly blocks: CompressedInput;
  readonly indexer: CompressedInput;
}

/**
 * `src/models/deepseek4.cpp` (llama.cpp v0.5.0): residual streams that are mixed around each branch; a window of keys, and in
 * most layers compressed keys of all that came before, all of them or those that an indexer chooses.
 */
export function deepseek4(g: GraphBuilder): void {
  const streams = g.shape.keys.required('hyper_connection.count');
  const embeddings = g.inputEmbeddings();
  const positions = g.inputPositions();
  const outIds = g.inputOutIds();
  const inputs = inputsOf(g, positions);
  g.expand(inputs.raw.mask);
  const feed = feedForwardBranch(g);
  let all = ggml.repeat(ggml.reshape(embeddings, g.nEmbd, 1, g.nTokens), [g.nEmbd, streams, g.nTokens, 1]);
  for (const layer of g.layers) {
    const before = reduceStreams(g, all, layer, 'hc_attn');
    const attended = attend(g, inputs, g.rmsNorm(before.cur, layer, 'attn_norm.weight'), layer);
    all = spread(g, attended, all, before, layer);
    const middle = reduceStreams(g, all, layer, 'hc_ffn');
    for (const tensor of [all, middle.post, middle.mixes]) g.expand(tensor);
    all = spread(g, feed(g.rmsNorm(middle.cur, layer, 'ffn_norm.weight'), layer), all, middle, layer);
    g.pinToLayer(all, layer);
  }
  const rows = g.pickOutputs(ggml.reshape(all, g.nEmbd * streams, g.nTokens), outIds);
  if (g.params.role.keepsAllRows || g.params.llama.cropsEarly) g.keepHidden(all);
  g.finishWithHead(streamsHead(g, ggml.reshape(rows, g.nEmbd, streams, g.nOutputs)));
}

function inputsOf(g: GraphBuilder, positions: Tensor): Inputs {
  const { swa, compressed } = g.memory;
  if (!compressed) throw graphError('compressed attention needs its caches');
  return {
    positions,
    raw: windowInput(g, swa),
    overlapping: compressedInput(g, compressed.overlapping, maskType(g)),
    blocks: compressedInput(g, compressed.blocks, maskType(g)),
    indexer: compressedInput(g, compressed.indexer, F16),
  };
}

function windowInput(g: GraphBuilder, cache: GraphBuilder['memory']['swa']): WindowInput {
  if (!cache) throw graphError('a window of keys needs its cache');
  return {
    cache,
    kIndices: ggml.newInput(I64, g.nTokens),
    mask: cacheMask(g, cache, maskType(g)),
    rotation: rotationInput(cache.kRotation),
  };
}

/** `graph_mtp`: the residual streams of one block, and a token's embedding beside the model's own streams. */
export function deepseek4Head(g: GraphBuilder): void {
  const layer = g.hparams.nLayer;
  const streams = g.shape.keys.required('hyper_connection.count');
  const { tokens, hidden } = nextTokenInputs(g, g.nEmbd * streams);
  const positions = g.inputPositions();
  const outIds = g.inputOutIds();
  const raw = windowInput(g, g.hparams.isSwa[layer] ? g.memory.swa : g.memory.base);
  const before = g.rmsNorm(ggml.reshape(hidden, g.nEmbd, streams, g.nTokens), layer, 'nextn.hnorm.weight');
  const token = ggml.reshape(g.rmsNorm(tokens, layer, 'nextn.enorm.weight'), g.nEmbd, 1, g.nTokens);
  const both = ggml.concat(ggml.repeat(token, [g.nEmbd, streams, g.nTokens, 1]), before, 0);
  const scale = g.layerWeight(layer, 'nextn.eh_proj.scale');
  let all = g.mulMat(g.layerNeed(layer, 'nextn.eh_proj.weight'), both, scale);

  const reduced = reduceStreams(g, all, layer, 'hc_attn');
  const { q, k } = headsOf(g, g.rmsNorm(reduced.cur, layer, 'attn_norm.weight'), layer, positions);
  const attended = overWindowAnd(g, raw, null, null, { q, k }, layer);
  all = spread(g, unrotated(g, attended, layer, positions), all, reduced, layer);
  const middle = reduceStreams(g, all, layer, 'hc_ffn');
  const normed = g.rmsNorm(middle.cur, layer, 'ffn_norm.weight');
  all = spread(g, feedForwardBranch(g)(normed, layer), all, middle, layer);
  const rows = g.pickOutputs(ggml.reshape(all, g.nEmbd * streams, g.nTokens), outIds);
  g.keepHidden(rows);
  const cur = streamsHead(g, ggml.reshape(rows, g.nEmbd, streams, g.nOutputs));
  const last = g.norm(cur, nextTokenNorm(g), null, 'rms', -1);
  g.embeddings = last;
  g.finish(nextTokenLogits(g, last));
}

/** `build_attention_impl`. */
function attend(g: GraphBuilder, inputs: Inputs, cur: Tensor, layer: number): Tensor {
  const { positions, overlapping, blocks, indexer } = inputs;
  const { q, k, low } = headsOf(g, cur, layer, positions);

  let best: Tensor | null = null;
  let compressed: CompressedInput | null = null;
  if (overlapping.cache.keys.layers.has(layer)) {
    const made = compressor(g, overlapping, cur, layer, 'attn_compressor');
    storeCompressed(g, overlapping, made, layer, 'attn_compressor');
    const ofIndexer: Compressor = compressor(g, indexer, cur, layer, 'indexer_compressor');
    storeCompressed(g, indexer, ofIndexer, layer, 'indexer_compressor');
    best = choose(g, indexer, { cur, low, positions }, layer);
    compressed = overlapping;
  } else if (blocks.cache.keys.layers.has(layer)) {
    storeCompressed(g, blocks, compressor(g, blocks, cur, layer, 'attn_compressor'), layer, 'attn_compressor');
    compressed = blocks;
  }
  const attended = overWindowAnd(g, inputs.raw, compressed, best, { q, k }, layer);
  return unrotated(g, attended, layer, positions);
}

/** Queries of all heads, the one key that they share, and what the queries were made of. */
function headsOf(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  positions: Tensor,
): { readonly q: Tensor; readonly k: Tensor; readonly low: Tensor } {
  const { k: size, q: heads } = g.head(layer);
  const low = g.rmsNorm(g.mulMat(g.layerNeed(layer, 'attn_q_a.weight'), cur), layer, 'attn_q_a_norm.weight');
  const queries = ggml.reshape(g.mulMat(g.layerNeed(layer, 'attn_q_b.weight'), low), size, heads, g.nTokens);
  const q = ggml.rope(ggml.rmsNorm(queries), positions);
  const keys = g.rmsNorm(g.mulMat(g.layerNeed(layer, 'attn_kv.weight'), cur), layer, 'attn_kv_a_norm.weight');
  return { q, k: ggml.rope(ggml.reshape(keys, size, 1, g.nTokens), positions), low };
}

function unrotated(g: GraphBuilder, attended: Tensor, layer: number, positions: Tensor): Tensor {
  const { k: size, q: heads } = g.head(layer);
  return groupedOutput(g, ggml.ropeBack(ggml.reshape(attended, size, heads, g.nTokens), positions), layer);
}

/** `build_lid_top_k`: the compressed keys that each token attends to. */
function choose(
  g: GraphBuilder,
  input: CompressedInput,
  { cur, low, positions }: { readonly cur: Tensor; readonly low: Tensor; readonly positions: Tensor },
  layer: number,
): Tensor {
  const { headSize, heads, topK: most } = g.hparams.indexer;
  const rotation = keyRotation(g, { cache: input.cache.keys, rotation: input.rotation }, layer);
  if (!rotation) throw graphError('the indexer of compressed keys rotates them');
  const product = g.mulMat(g.layerNeed(layer, 'indexer.attn_q_b.weight'), low);
  const rotated = ggml.rope(ggml.reshape(product, headSize, heads, g.nTokens), positions);
  const q = ggml.mulMatHadamard(rotated, rotation);
  const weights = ggml.scale(g.mulMat(g.layerNeed(layer, 'indexer.proj.weight'), cur));
  const keys = compressedKeys(g, input, layer);
  const streams = keys.ne[3];
  const ofStreams = ({ ne, nb }: Tensor): [number, number, number] => [ne[2] / streams, nb[2], nb[3] / streams];
  const [tokens, nb2, nb3] = ofStreams(q);
  const split = ggml.view4d(q, [q.ne[0], q.ne[1], tokens, streams], q.nb[1], nb2, nb3, 0);
  const splitWeights = ggml.view4d(
    weights,
    [weights.ne[0], weights.ne[1] / streams, weights.ne[2], streams],
    weights.nb[1],
    weights.nb[2] / streams,
    weights.nb[3] / streams,
    0,
  );
  const score = lightningIndexer(split, keys, splitWeights, input.mask);
  return ggml.cont(topK(score, Math.min(score.ne[0], most)));
}

/** `build_raw_attention`, `build_hca_attention` or, with the best keys, `build_csa_lid_attention`. */
function overWindowAnd(
  g: GraphBuilder,
  raw: WindowInput,
  compressed: CompressedInput | null,
  best: Tensor | null,
  heads: { readonly q: Tensor; readonly k: Tensor },
  layer: number,
): Tensor {
  const { cache, mask } = raw;
  const rotation = keyRotation(g, raw, layer);
  const rotated = (tensor: Tensor): Tensor => (rotation ? ggml.mulMatHadamard(tensor, rotation) : tensor);
  const q = g.expand(rotated(heads.q));
  const k = g.expand(rotated(heads.k));
  const own = cache.layers.get(layer);
  if (!own) throw graphError(`layer ${layer} has no KV cache`);
  const place = g.cacheTensor(own.k);
  g.expand(storeK(place, k, raw));
  const sinks = g.layerNeed(layer, 'attn_sinks.weight');
  const window = keyRows(place, place.ne[0], 1, cache);
  let attended: Tensor;
  if (!compressed) {
    attended = multiHead(g, layer, { q, k: window, v: window }, mask, { sinks });
  } else {
    const keys = ggml.concat(window, compressedKeys(g, compressed, layer), 2);
    const open = best ? maskOfBest(g, layer, compressed.mask, best, g.flashAttn ? F16 : F32) : compressed.mask;
    const cellsLeft = best ? Math.min(mask.ne[0], g.hparams.nSwa) + best.ne[0] : 0;
    attended = multiHead(g, layer, { q, k: keys, v: keys }, ggml.concat(mask, open, 0), { sinks, cellsLeft });
  }
  return rotated(attended);
}

/** Each group of heads is brought to a low rank by itself, and all groups together back. */
function groupedOutput(g: GraphBuilder, attended: Tensor, layer: number): Tensor {
  const groups = g.shape.keys.required('attention.output_group_count');
  const [size, heads, tokens] = attended.ne;
  const byGroup = ggml.permute(ggml.reshape(attended, (size * heads) / groups, groups, tokens), 0, 2, 1, 3);
  const low = ggml.mulMat(g.layerNeed(layer, 'attn_output_a.weight'), byGroup);
  const flat = ggml.contTo(ggml.permute(low, 0, 2, 1, 3), low.ne[0] * groups, tokens);
  return g.mulMat(g.layerNeed(layer, 'attn_output_b.weight'), flat);
}

/** The first layers' experts are told by the token, not chosen. */
function feedForwardBranch(g: GraphBuilder): (cur: Tensor, layer: number) => Tensor {
  const gating = gatingOf(g, 'sqrt_softplus');
  const { keys } = g.shape;
  const told = keys.number('hash_layer_count', 0);
  const sharedKey = keys.has('swiglu_clamp_shexp') ? 'swiglu_clamp_shexp' : 'swiglu_clamp_exp';
  return (cur, layer) => {
    const byToken = layer < told && g.tokens;
    return withSharedExperts(g, cur, layer, {
      gating,
      ...(limited(g, 'swiglu_clamp_exp', layer) ? { clamped: 'fused' } : {}),
      ...(limited(g, sharedKey, layer) ? { sharedClamped: 'fused' } : {}),
      ...(byToken ? { chosen: ggml.getRows(g.layerNeed(layer, 'ffn_gate_tid2eid.weight'), byToken) } : {}),
    });
  };
}
