import { graphError } from '../../../ggml/graph-error.js';
import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { ArchitectureGraph } from '../../architecture-graph.js';
import { attentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder, NormKind } from '../../builder.js';
import { dropsEarly } from '../../graph-end.js';
import { attend } from './parts/attention-part.js';
import { feed } from './parts/feed-forward-part.js';
import { finishDecoder, outputRows } from './parts/head.js';
import { decoderInput } from './parts/input.js';
import type { DecoderFrame, DecoderSpec, LayerInputs, LayerPart, LayerTools } from './spec.js';

/** The graph that a specification stands for. */
export function decoderGraph(spec: DecoderSpec | ((g: GraphBuilder) => DecoderSpec)): ArchitectureGraph {
  if (typeof spec === 'function') return { build: (g) => buildDecoder(g, spec(g)) };
  return { build: (g) => buildDecoder(g, spec), ...(spec.kindOf ? { kindOf: spec.kindOf } : {}) };
}

function buildDecoder(g: GraphBuilder, spec: DecoderSpec): void {
  const kind = typeof spec.norm === 'function' ? spec.norm(g) : (spec.norm ?? 'rms');
  const attentionSpec = typeof spec.attention === 'function' ? {} : (spec.attention ?? {});
  const { rows, positions } = decoderInput(g, spec.input ?? {}, kind, attentionSpec.rotates !== 'never');
  const temperature = attentionSpec.temperature && g.shape.keys.real('attention.temperature_scale', 0) !== 0;
  const inputs = {
    positions,
    queryScales: temperature ? g.inputQueryScales() : null,
    attention: (spec.attentionInput ?? attentionInput)(g),
  };
  const outIds = g.inputOutIds();
  const layers = new DecoderLayers(g, spec, kind, inputs, outIds);
  const frame: DecoderFrame = { embeddings: rows, pick: (tensor, layer) => layers.pick(tensor, layer) };
  let cur = rows;
  for (const layer of g.layers) {
    g.tapInput(layer, cur);
    cur = layers.build(cur, layer);
    if (spec.afterLayer) cur = spec.afterLayer(g, cur, layer, frame);
    cur = g.steer(cur, layer);
  }
  finishDecoder(g, spec, kind, cur, outIds);
}

class DecoderLayers {
  private readonly feedForward: LayerPart;

  constructor(
    private readonly g: GraphBuilder,
    private readonly spec: DecoderSpec,
    private readonly kind: NormKind,
    private readonly inputs: LayerInputs,
    private readonly outIds: Tensor,
  ) {
    const { feedForward = {} } = spec;
    this.feedForward =
      typeof feedForward === 'function'
        ? feedForward
        : (_, cur, layer, input) => feed(g, feedForward, cur, layer, input);
  }

  build(input: Tensor, layer: number): Tensor {
    if (this.spec.layer) return this.spec.layer(this.tools(input), input, layer);
    const { parallel } = this.spec;
    if (parallel && (parallel.when?.(this.g, layer) ?? true)) return this.sideBySide(input, layer, parallel);
    return this.oneAfterTheOther(input, layer);
  }

  private oneAfterTheOther(input: Tensor, layer: number): Tensor {
    const { g, spec } = this;
    const { attention = 'attn_norm', feedForward = 'ffn_norm', ...norms } = spec.norms ?? {};
    const attentionNorm = typeof attention === 'function' ? attention(g, layer) : attention;
    let cur = this.attended(this.norm(input, layer, attentionNorm), layer);
    const pinned = (norm: 'afterAttention' | 'afterFeedForward'): number =>
      norms.unpinned?.includes(norm) ? -1 : layer;
    if (norms.beforePicking) cur = this.norm(cur, layer, norms.afterAttention, pinned('afterAttention'));
    cur = this.pick(cur, layer);
    const residual = this.pick(input, layer);
    if (!norms.beforePicking) cur = this.norm(cur, layer, norms.afterAttention, pinned('afterAttention'));
    const middle = spec.middleFirst ? ggml.add(residual, cur) : ggml.add(this.branch(cur), residual);
    cur = this.fed(this.norm(middle, layer, feedForward), layer, input);
    cur = this.branch(this.norm(cur, layer, norms.afterFeedForward, pinned('afterFeedForward')));
    return spec.residualFirst ? ggml.add(middle, cur) : ggml.add(cur, middle);
  }

  private sideBySide(input: Tensor, layer: number, spec: NonNullable<DecoderSpec['parallel']>): Tensor {
    const { g } = this;
    const normed = this.norm(input, layer, 'attn_norm');
    const own = spec.attentionNorm && g.layerWeight(layer, `${spec.attentionNorm}.weight`) ? spec.attentionNorm : null;
    const attentionRows = own ? this.norm(input, layer, own) : normed;
    const attended = this.pick(this.attended(attentionRows, layer), layer);
    const picked = this.pick(input, layer);
    const read = spec.ownNorm ? this.norm(picked, layer, 'ffn_norm') : this.pick(normed, layer);
    return spec.sum({ input: picked, attended, fed: this.fed(read, layer, input) });
  }

  private attended(cur: Tensor, layer: number): Tensor {
    const { g, inputs } = this;
    const { attention = {} } = this.spec;
    if (typeof attention !== 'function') return attend(g, attention, cur, layer, inputs);
    if (!inputs.positions) throw graphError('attention of its own kind needs positions');
    return attention(g, cur, layer, { positions: inputs.positions, attention: inputs.attention });
  }

  private fed(cur: Tensor, layer: number, input: Tensor): Tensor {
    return this.feedForward(this.g, cur, layer, { input, pick: (rows, at) => this.pick(rows, at) });
  }

  private tools(input: Tensor): LayerTools {
    const { g } = this;
    return {
      g,
      pick: (cur, layer) => this.pick(cur, layer),
      norm: (cur, layer, name) => this.norm(cur, layer, name),
      attend: (cur, layer) => this.attended(cur, layer),
      feed: (cur, layer) => this.fed(cur, layer, input),
    };
  }

  private norm(cur: Tensor, layer: number, name: string | null | undefined, pinned = layer): Tensor {
    const { g, kind } = this;
    if (!name) return cur;
    if (this.spec.bareNorms) return g.norm(cur, null, null, kind, pinned);
    const weight = g.layerWeight(layer, name) ?? g.layerWeight(layer, `${name}.weight`);
    return g.norm(cur, weight, g.layerWeight(layer, `${name}.bias`), kind, pinned);
  }

  private branch(cur: Tensor): Tensor {
    return this.spec.scaledBranches?.(this.g) ? ggml.scale(cur) : cur;
  }

  pick(cur: Tensor, layer: number): Tensor {
    const outputs = outputRows(this.g, this.spec);
    const inside = outputs === 'in-last-layer' || (outputs !== 'never' && dropsEarly(this.g));
    return inside && this.g.isLast(layer) ? this.g.pickOutputs(cur, this.outIds) : cur;
  }
}
