import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import type { ArchitectureGraph } from '../architecture-graph.js';
import { attentionInput, type DecoderInputs } from '../attention/attention-input.js';
import type { GraphBuilder, NormKind } from '../builder.js';

type Part = (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;

export interface DraftHead {
  readonly attention: Part;
  readonly feedForward: Part;
  /** Null where the feed-forward reads what the attention reads. */
  readonly feedForwardNorm: 'post_attention_norm' | 'ffn_norm' | null;
  /** Where rows without output are dropped: around the sum after the attention, before or after the final norm. */
  readonly picks?: 'before-sum' | 'after-sum' | 'before-norm' | 'after-norm';
  readonly norm?: (g: GraphBuilder) => NormKind;
  readonly finalNorm?: NormKind;
  /** Of the final norm, where the block has none of its own. */
  readonly norms?: readonly string[];
  readonly scalesLogits?: boolean;
}

/** What the head reads: a token's embedding and the model's hidden state, put together. */
export function nextTokenInputs(
  g: GraphBuilder,
  width = g.nEmbd,
): { readonly tokens: Tensor; readonly hidden: Tensor } {
  const table = g.layerWeight(g.hparams.nLayer, 'nextn.embed_tokens.weight') ?? g.need('token_embd.weight');
  return {
    tokens: ggml.getRows(table, ggml.newInput(I32, g.nTokens)),
    hidden: ggml.newInput(F32, width, g.nTokens),
  };
}

/** The block's own head, or the model's. */
export function nextTokenLogits(g: GraphBuilder, cur: Tensor): Tensor {
  const layer = g.hparams.nLayer;
  const own = g.layerWeight(layer, 'nextn.shared_head_head.weight');
  const scale = own ? g.layerWeight(layer, 'nextn.shared_head_head.scale') : g.weight('output.scale');
  return g.mulMat(own ?? g.outputHead(), cur, scale);
}

/** The weight of the norm before the head: the block's own, another of its norms, or the model's. */
export function nextTokenNorm(g: GraphBuilder, others: readonly string[] = []): Tensor {
  for (const name of ['nextn.shared_head_norm', ...others]) {
    const weight = g.layerWeight(g.hparams.nLayer, `${name}.weight`);
    if (weight) return weight;
  }
  return g.need('output_norm.weight');
}

/**
 * `graph_mtp` of an architecture (`src/models/*.cpp`, llama.cpp v0.5.0): its block after the last layer, which reads a token
 * and the model's hidden state, then the head.
 */
export function draftHead(head: DraftHead): ArchitectureGraph {
  return {
    build: (g) => {
      const layer = g.hparams.nLayer;
      const kind = head.norm?.(g) ?? 'rms';
      const { picks = 'after-norm' } = head;
      const norm = (cur: Tensor, name: string): Tensor =>
        g.norm(cur, g.layerNeed(layer, `${name}.weight`), null, kind, layer);
      const { tokens, hidden } = nextTokenInputs(g);
      const positions = g.inputPositions();
      const outIds = g.inputOutIds();
      const inputs: DecoderInputs = { positions, attention: attentionInput(g) };
      const pickIf = (place: typeof picks, cur: Tensor): Tensor => (picks === place ? g.pickOutputs(cur, outIds) : cur);

      const normedHidden = norm(hidden, 'nextn.hnorm');
      const both = ggml.concat(norm(tokens, 'nextn.enorm'), normedHidden, 0);
      const input = g.mulMat(
        g.layerNeed(layer, 'nextn.eh_proj.weight'),
        both,
        g.layerWeight(layer, 'nextn.eh_proj.scale'),
      );
      let cur = branches(g, head, input, { norm, pickIf, inputs });
      cur = pickIf('before-norm', cur);
      if (picks === 'before-norm') g.keepHidden(cur);
      cur = g.norm(cur, nextTokenNorm(g, head.norms), null, head.finalNorm ?? kind, -1);
      if (picks !== 'before-norm') g.keepHidden(cur);
      const logits = nextTokenLogits(g, pickIf('after-norm', cur));
      g.finish(head.scalesLogits && g.shape.keys.real('logit_scale', 0) !== 0 ? ggml.scale(logits) : logits);
    },
  };
}

interface Frame {
  readonly norm: (cur: Tensor, name: string) => Tensor;
  readonly pickIf: (place: NonNullable<DraftHead['picks']>, cur: Tensor) => Tensor;
  readonly inputs: DecoderInputs;
}

/** Attention and feed-forward, one after the other, or both over the same rows. */
function branches(g: GraphBuilder, head: DraftHead, input: Tensor, { norm, pickIf, inputs }: Frame): Tensor {
  const layer = g.hparams.nLayer;
  const normed = norm(input, 'attn_norm');
  const attended = head.attention(g, normed, layer, inputs);
  if (!head.feedForwardNorm) {
    return ggml.add(ggml.add(head.feedForward(g, normed, layer, inputs), input), attended);
  }
  const [picked, residual] = [pickIf('before-sum', attended), pickIf('before-sum', input)];
  const middle = pickIf('after-sum', ggml.add(picked, residual));
  return ggml.add(head.feedForward(g, norm(middle, head.feedForwardNorm), layer, inputs), middle);
}
