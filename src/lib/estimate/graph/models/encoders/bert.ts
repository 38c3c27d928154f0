import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attention } from '../../attention/attention.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { experts } from '../../experts/experts.js';
import { type Activation, feedForward, projectQkv } from '../../projections.js';

interface Encoder {
  /** Learnt positions are added to the embeddings, Q and K are rotated, or scores are biased by distance (ALiBi). */
  readonly positions: 'learnt' | 'rotary' | 'alibi';
  readonly activation: (g: GraphBuilder, layer: number) => Activation;
}

/** `src/models/bert.cpp` (llama.cpp v0.5.0): norms after each sum, no cache, no output head. */
function encoder(g: GraphBuilder, { positions: kind, activation }: Encoder): void {
  const positions = g.inputPositions();
  let layerInput = embeddings(g, kind === 'learnt' ? positions : null);
  const attentionInputs = attentionInput(g);
  const outIds = g.inputOutIds();
  const rotate = (heads: Tensor): Tensor => (kind === 'rotary' ? ggml.rope(heads, positions) : heads);
  for (const layer of g.layers) {
    const { q, k, v } = projectQkv(g, layerInput, layer);
    const heads = {
      q: rotate(wholeRowNorm(g, q, layer, 'attn_q_norm')),
      k: rotate(wholeRowNorm(g, k, layer, 'attn_k_norm')),
      v,
    };
    let cur = attention(g, attentionInputs, layer, heads);
    if (g.isLast(layer)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    let middle = layerNorm(g, ggml.add(cur, layerInput), layer, 'attn_output_norm');
    if (g.layerWeight(layer, 'attn_norm_2.weight'))
      middle = layerNorm(g, ggml.add(middle, layerInput), layer, 'attn_norm_2');
    cur = ggml.add(feedForwardOrExperts(g, middle, layer, activation(g, layer)), middle);
    layerInput = layerNorm(g, cur, layer, 'layer_output_norm');
  }
  g.embeddings = layerInput;
  g.expand(layerInput);
}

/** Tokens, their type (always the first), learnt positions where the model has them. */
function embeddings(g: GraphBuilder, positions: Tensor | null): Tensor {
  const learnt = positions && ggml.getRows(g.need('position_embd.weight'), positions);
  if (learnt && g.params.llama.lookupsFirst) g.expand(learnt);
  let cur = g.inputEmbeddings();
  const types = g.weight('token_types.weight');
  if (types) cur = ggml.add(cur, ggml.view1d(types, g.nEmbd, 0));
  if (learnt) cur = ggml.add(learnt, cur);
  return g.norm(cur, g.need('token_embd_norm.weight'), g.need('token_embd_norm.bias'), 'layer', 0);
}

function layerNorm(g: GraphBuilder, cur: Tensor, layer: number, name: string): Tensor {
  return g.norm(cur, g.layerNeed(layer, `${name}.weight`), g.layerWeight(layer, `${name}.bias`), 'layer', layer);
}

/** A norm over all heads of Q or K, where the file has one. */
function wholeRowNorm(g: GraphBuilder, heads: Tensor, layer: number, name: string): Tensor {
  const weight = g.layerWeight(layer, `${name}.weight`);
  if (!weight) return heads;
  const [size, count, tokens] = heads.ne;
  const rows = ggml.reshape(heads, size * count, tokens);
  const normed = g.norm(rows, weight, g.layerWeight(layer, `${name}.bias`), 'layer', layer);
  return ggml.reshape(normed, size, count, tokens);
}

function feedForwardOrExperts(g: GraphBuilder, cur: Tensor, layer: number, activation: Activation): Tensor {
  if (!g.layerWeight(layer, 'ffn_gate_inp.weight')) return feedForward(g, cur, layer, { activation });
  return experts(g, cur, layer, { activation, gating: 'softmax', normalise: false, scale: 0 });
}

/** `src/models/bert.cpp` (llama.cpp v0.5.0). */
export function bert(g: GraphBuilder): void {
  encoder(g, { positions: 'learnt', activation: () => 'gelu' });
}

/** `src/models/nomic-bert.cpp` (llama.cpp v0.5.0), which uses the graph of `bert.cpp`. */
export function nomicBert(g: GraphBuilder): void {
  encoder(g, { positions: 'rotary', activation: () => 'silu' });
}

/** `src/models/nomic-bert-moe.cpp` and `jina-bert-v3.cpp` (llama.cpp v0.5.0), which use the graph of `bert.cpp`. */
export function nomicBertMoe(g: GraphBuilder): void {
  encoder(g, { positions: 'rotary', activation: () => 'gelu' });
}

/** `src/models/jina-bert-v2.cpp` (llama.cpp v0.5.0), which uses the graph of `bert.cpp`; gate and up may be one matrix. */
export function jinaBertV2(g: GraphBuilder): void {
  encoder(g, {
    positions: 'alibi',
    activation: (_, layer) => {
      const fused = g.layerNeed(layer, 'ffn_up.weight').ne[1] !== g.hparams.nFf[layer];
      return fused && !g.layerWeight(layer, 'ffn_gate.weight') ? 'geglu' : 'gelu';
    },
  });
}
