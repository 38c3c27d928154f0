import { pool1d } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { countsOfLayer } from '../counts-by-layer.js';
import { type CachedProducts, cachedExperts } from './cached-experts.js';
import { activate, type Activation, clampedSwiglu, GATED } from '../projections.js';
import { graphError } from '../../ggml/graph-error.js';

export type Gating = 'softmax' | 'sigmoid' | 'softmax_weight' | 'sqrt_softplus';

export interface Experts {
  readonly activation: Activation;
  readonly gating: Gating;
  /** Weights of the chosen experts sum to one. */
  readonly normalise: boolean;
  /** Factor on the weights; 0 and 1 = none. */
  readonly scale: number;
  /** Logits that the model computed itself. */
  readonly logits?: Tensor;
  /** Llama 4 weighs the input, and chooses by the logits. */
  readonly weighInput?: boolean;
  /** GroveMoE chooses by the sigmoid of the logits. */
  readonly chooseBySigmoid?: boolean;
  /** How many a layer has, where it may be fewer than others have. */
  readonly count?: number;
  /** Experts that each stand for a group of the others; how many share one. */
  readonly adjugate?: number;
  /** Gate and up are kept within limits before they are multiplied: one op, or one by one. */
  readonly clamped?: 'fused' | 'apart';
  /** Experts that are not chosen by the router's logits. */
  readonly chosen?: Tensor;
  /** An activation of gate and up that is of the model's own. */
  readonly combine?: (gate: Tensor, up: Tensor) => Tensor;
}

/** `enum llama_expert_gating_func_type` (`src/llama-hparams.h`); 0 = the file does not say. */
const GATINGS: readonly (Gating | undefined)[] = [undefined, 'softmax', 'sigmoid', 'softmax_weight', 'sqrt_softplus'];

/** The header's gating function, or the architecture's own. */
export function gatingOf(g: GraphBuilder, fallback: Gating): Gating {
  return GATINGS[g.shape.keys.number('expert_gating_func', 0)] ?? fallback;
}

/** What the header says of the weights of the chosen. */
export function weightsByHeader({ shape: { keys } }: GraphBuilder): Pick<Experts, 'normalise' | 'scale'> {
  const [norm, scale] = ['expert_weights_norm', 'expert_weights_scale'] as const;
  return {
    normalise: keys.boolean(norm, false),
    scale: keys.real(scale, 0),
  };
}

/** `build_moe_ffn` (`src/llama-graph.cpp`, llama.cpp v0.5.0). */
export function experts(g: GraphBuilder, input: Tensor, layer: number, options: Experts): Tensor {
  const nExpert = options.count ?? g.hparams.nExpert;
  const inUse = countsOfLayer(g.shape, layer).experts;
  const used = options.adjugate ? Math.min(inUse, Math.floor(nExpert / options.adjugate)) : inUse;
  const [nEmbd, nTokens] = input.ne;
  const logits = options.logits ?? routerLogits(g, input, layer);
  const probs = probabilities(logits, options.gating);
  const bias = g.layerWeight(layer, 'exp_probs_b.bias') ?? g.layerWeight(layer, 'exp_probs_b');
  let selection = bias ? ggml.add(probs, bias) : probs;
  if (options.weighInput) selection = logits;
  if (options.chooseBySigmoid) selection = ggml.unary(logits, 'sigmoid');
  if (g.hparams.nExpertGroups > 1) selection = withinBestGroups(g, selection, nTokens);

  let chosen = options.chosen ?? ggml.argsortTopK(selection, used);
  if (options.adjugate) chosen = ggml.cast(ggml.scale(ggml.cast(chosen, F32)), I32);
  let weights = ggml.getRows(ggml.reshape(probs, 1, nExpert, nTokens), chosen);
  if (options.gating === 'softmax_weight') {
    weights = ggml.softMax(ggml.reshape(weights, used, nTokens));
    weights = ggml.reshape(weights, 1, used, nTokens);
  }
  if (options.normalise) {
    weights = ggml.reshape(weights, used, nTokens);
    weights = ggml.div(weights, ggml.clamp(ggml.sumRows(weights)));
    weights = ggml.reshape(weights, 1, used, nTokens);
  }
  if (options.scale !== 0 && options.scale !== 1) weights = ggml.scale(weights);
  g.expand(weights);

  const named = (name: string): string => `ffn_${name}${options.adjugate ? '_chexps' : '_exps'}`;
  const present = ['up', 'gate', 'down', 'gate_up'].map(named).filter((name) => g.layerWeight(layer, `${name}.weight`));
  const choice: Choice = { chosen, cached: cachedExperts(g, layer, chosen, present) };
  let cur = ggml.reshape(input, nEmbd, 1, nTokens);
  if (options.weighInput) cur = ggml.mul(ggml.repeat(cur, [nEmbd, used, nTokens, 1]), weights);
  let outputs = downProduct(g, layer, named('down'), hidden(g, cur, layer, choice, options, named), choice);
  if (!options.weighInput) outputs = ggml.mul(outputs, weights);
  g.expand(outputs);
  return summed(g, outputs, g.hparams.nExpertUsed[layer] as number, nTokens);
}

function routerLogits(g: GraphBuilder, input: Tensor, layer: number): Tensor {
  const logits = g.mulMat(g.layerNeed(layer, 'ffn_gate_inp.weight'), input);
  return g.addBias(logits, g.layerWeight(layer, 'ffn_gate_inp.bias'));
}

function probabilities(logits: Tensor, gating: Gating): Tensor {
  switch (gating) {
    case 'softmax':
      return ggml.softMax(logits);
    case 'sigmoid':
      return ggml.unary(logits, 'sigmoid');
    case 'sqrt_softplus':
      return ggml.sqrt(ggml.unary(logits, 'softplus'));
    case 'softmax_weight':
      return logits;
  }
}

/** DeepSeek-V3: only the experts of the best groups can be chosen. */
function withinBestGroups(g: GraphBuilder, selection: Tensor, nTokens: number): Tensor {
  const { nExpert, nExpertGroups, nGroupUsed } = g.hparams;
  const groups = ggml.reshape(selection, nExpert / nExpertGroups, nExpertGroups, nTokens);
  const best = ggml.argsortTopK(groups, 2);
  let scores = ggml.getRows(ggml.reshape(groups, 1, ...(groups.ne.slice(0, 3) as [number, number, number])), best);
  scores = ggml.sumRows(ggml.reshape(scores, scores.ne[1], scores.ne[2], scores.ne[3]));
  scores = ggml.reshape(scores, scores.ne[1], scores.ne[2]);
  const chosen = ggml.argsortTopK(scores, nGroupUsed);
  const kept = ggml.getRows(groups, chosen);
  return ggml.reshape(ggml.setRows(ggml.fill(groups), kept, chosen), nExpert, nTokens);
}

/** The experts of each token, and where a GPU keeps them. */
interface Choice {
  readonly chosen: Tensor;
  readonly cached: CachedProducts | null;
}

/** What their experts' last product reads may be too large for F16: they keep it in F32 (`ggml_prec_set_src`), then scale it. */
const KEPT_IN_F32: ReadonlySet<string> = new Set(['mistral4']);
const SCALED_FOR_F16: ReadonlySet<string> = new Set(['mistral4', 'mellum', 'flint', 'laguna']);

/** `build_amax_src1_f16` (`src/llama-graph.cpp`, b12032): powers of two that bring rows into the range of F16. */
function rowScales(cur: Tensor): Tensor {
  const largest = pool1d(ggml.unary(cur, 'abs'), cur.ne[0]);
  const exponent = ggml.unary(ggml.scale(ggml.log(ggml.scale(largest))), 'ceil');
  return ggml.unary(ggml.scale(ggml.clamp(exponent)), 'exp');
}

/** The experts' last product. */
function downProduct(g: GraphBuilder, layer: number, name: string, cur: Tensor, choice: Choice): Tensor {
  const { architecture } = g.shape;
  if (!g.params.llama.scaledExperts) {
    const result = product(g, layer, name, cur, choice);
    if (KEPT_IN_F32.has(architecture)) result.variant = 'f32-source';
    return result;
  }
  const scales = SCALED_FOR_F16.has(architecture) ? rowScales(cur) : null;
  return product(g, layer, name, scales ? ggml.div(cur, scales) : cur, choice, scales);
}

/** `build_lora_mm_id`, then the experts' biases. */
function product(
  g: GraphBuilder,
  layer: number,
  name: string,
  cur: Tensor,
  { chosen, cached }: Choice,
  rowScales: Tensor | null = null,
): Tensor {
  let result = cached
    ? ggml.mulMatId(cached.bankOf(name), cur, cached.slots)
    : ggml.mulMatId(g.layerNeed(layer, `${name}.weight`), cur, chosen);
  const scale = g.layerWeight(layer, `${name}.scale`);
  if (scale) {
    const nExpert = scale.ne[0];
    const repeated = ggml.repeat(ggml.reshape(scale, 1, nExpert, 1), [1, nExpert, cur.ne[2], 1]);
    result = ggml.mul(result, ggml.getRows(repeated, chosen));
  }
  if (rowScales) result = ggml.mul(result, rowScales);
  const bias = g.layerWeight(layer, `${name}.bias`);
  return bias ? ggml.addId(result, bias, chosen) : result;
}

function hidden(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  choice: Choice,
  { activation, clamped, combine: own }: Experts,
  named: (name: string) => string,
): Tensor {
  if (g.layerWeight(layer, `${named('gate_up')}.weight`)) {
    const both = product(g, layer, named('gate_up'), cur, choice);
    const width = both.ne[0] / 2;
    const half = (offset: number): Tensor =>
      ggml.view3d(both, [width, both.ne[1], both.ne[2]], both.nb[1], both.nb[2], offset);
    return combine(half(0), half(width * both.nb[0]), activation);
  }
  const up = product(g, layer, named('up'), cur, choice);
  if (!g.layerWeight(layer, `${named('gate')}.weight`)) return activate(up, activation);
  const gate = product(g, layer, named('gate'), cur, choice);
  if (own) return own(gate, up);
  if (clamped === 'fused') return ggml.glu(gate, up, 'swiglu_clamp');
  return clamped === 'apart' ? clampedSwiglu(gate, up) : combine(gate, up, activation);
}

function combine(gate: Tensor, up: Tensor, activation: Activation): Tensor {
  const glu = GATED[activation];
  if (!glu) throw graphError(`experts with a gate cannot use ${activation}`);
  return ggml.glu(gate, up, glu);
}

/** The chosen experts' outputs, added one by one; all views come first. */
function summed(g: GraphBuilder, outputs: Tensor, used: number, nTokens: number): Tensor {
  const views: Tensor[] = [];
  for (let i = 0; i < used; i++) {
    const view = ggml.view2d(outputs, outputs.ne[0], nTokens, outputs.nb[2], i * outputs.nb[1]);
    views.push(g.expand(view));
  }
  const [first, ...rest] = views;
  if (first === undefined) throw graphError('a layer that uses none of its experts');
  const sum = rest.reduce((acc, view) => g.expand(ggml.add(acc, view)), first);
  return used === 1 ? ggml.cont(sum) : sum;
}
