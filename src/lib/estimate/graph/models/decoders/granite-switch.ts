import * as ggml from '../../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../../ggml/tensor.js';
import type { ArchitectureGraph } from '../../architecture-graph.js';
import { attention } from '../../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';

/**
 * `src/models/granite-switch.cpp` (llama.cpp v0.5.0): Granite with low-rank adapters in its own file, of which one head's attention
 * over the batch's special tokens chooses one for each token.
 */
export const graniteSwitch: ArchitectureGraph = { build };

function build(g: GraphBuilder): void {
  let input = ggml.getRows(g.need('token_embd.weight'), ggml.newInput(I32, g.nTokens));
  if (scales(g, 'embedding_scale')) input = ggml.scale(input);
  const rotates = g.shape.keys.boolean('rope.scaling.finetuned', true);
  const inputs = { positions: rotates ? g.inputPositions() : null, attention: attentionInput(g) };
  let adapters = chosenAdapters(g, inputs);
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let attended = attend(g, g.rmsNorm(input, layer, 'attn_norm.weight'), layer, adapters, inputs);
    if (g.isLast(layer)) {
      attended = g.pickOutputs(attended, outIds);
      input = g.pickOutputs(input, outIds);
      const kept = g.pickOutputs(ggml.reshape(adapters, 1, g.nTokens), outIds);
      adapters = ggml.reshape(kept, g.nOutputs);
    }
    const middle = ggml.add(branch(g, attended), input);
    const fed = feed(g, g.rmsNorm(middle, layer, 'ffn_norm.weight'), layer, adapters);
    input = g.steer(ggml.add(branch(g, fed), middle), layer);
  }
  g.finishWithHead(input, 'rms', ggml.scale);
}

function scales(g: GraphBuilder, key: string): boolean {
  return g.shape.keys.real(key, 0) !== 0;
}

function branch(g: GraphBuilder, cur: Tensor): Tensor {
  return scales(g, 'residual_scale') ? ggml.scale(cur) : cur;
}

/** The router: a layer behind the last, of one head whose first element says which token switches to which adapter. */
function chosenAdapters(g: GraphBuilder, { attention: input }: Pick<Inputs, 'attention'>): Tensor {
  const router = g.hparams.nLayer;
  const lane = (): Tensor => {
    const signal = ggml.reshape(ggml.newInput(F32, g.nTokens), 1, 1, g.nTokens);
    return ggml.padTo(signal, [g.head(router).v, 1, g.nTokens, 1]);
  };
  const routed = attention(g, input, router, { q: lane(), k: lane(), v: lane() }, { output: null });
  const slots = ggml.cont(ggml.view2d(routed, 1, g.nTokens, routed.nb[1], 0));
  return ggml.cast(ggml.unary(ggml.clamp(ggml.reshape(slots, g.nTokens)), 'round'), I32);
}

type Inputs = Omit<DecoderInputs, 'positions'> & { readonly positions: Tensor | null };

function attend(g: GraphBuilder, cur: Tensor, layer: number, adapters: Tensor, inputs: Inputs): Tensor {
  const { q, kv, v: size } = g.head(layer);
  const all = ggml.mulMat(g.layerNeed(layer, 'attn_qkv.weight'), cur);
  const part = (name: string, heads: number, first: number): Tensor => {
    const rows = ggml.view2d(all, size * heads, all.ne[1], all.nb[1], ggml.rowSize(all, size * first));
    const sum = ggml.add(ggml.cont(rows), adapted(g, name, cur, layer, adapters));
    return ggml.reshape(sum, size, heads, g.nTokens);
  };
  const [query, key, value] = [part('attn_q', q, 0), part('attn_k', kv, q), part('attn_v', kv, q + kv)];
  const { positions } = inputs;
  const rotated = (heads: Tensor): Tensor => (positions ? ggml.rope(heads, positions) : heads);
  const qkv = { q: rotated(query), k: rotated(key), v: value };
  const attended = attention(g, inputs.attention, layer, qkv, { output: null });
  return switched(g, 'attn_output', attended, layer, adapters);
}

function feed(g: GraphBuilder, cur: Tensor, layer: number, adapters: Tensor): Tensor {
  const gate = switched(g, 'ffn_gate', cur, layer, adapters);
  const up = switched(g, 'ffn_up', cur, layer, adapters);
  return switched(g, 'ffn_down', ggml.mul(ggml.unary(gate, 'silu'), up), layer, adapters);
}

/** `build_switched_lora_mm`. */
function switched(g: GraphBuilder, name: string, cur: Tensor, layer: number, adapters: Tensor): Tensor {
  const base = ggml.mulMat(g.layerNeed(layer, `${name}.weight`), cur);
  return ggml.add(base, adapted(g, name, cur, layer, adapters));
}

/** `build_switched_lora_delta`: each token's adapter is one expert of many. */
function adapted(g: GraphBuilder, name: string, cur: Tensor, layer: number, adapters: Tensor): Tensor {
  const [width, tokens] = cur.ne;
  const ids = ggml.reshape(adapters, 1, tokens);
  const narrow = ggml.mulMatId(g.layerNeed(layer, `${name}.lora_a`), ggml.reshape(cur, width, 1, tokens), ids);
  const wide = ggml.mulMatId(g.layerNeed(layer, `${name}.lora_b`), narrow, ids);
  return ggml.reshape(wide, wide.ne[0], tokens);
}
