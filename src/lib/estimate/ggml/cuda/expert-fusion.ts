import type { KeepUntil } from '../backend.js';
import { elidable } from '../elidable.js';
import { groupSharedExperts, keepGatedInputs } from './gate-fusion.js';
import { F32, isContiguous, type Op, sameShape, type Tensor } from '../tensor.js';

/*
 * What CUDA keeps alive because one kernel will compute a run of nodes: `ggml_backend_cuda_graph_optimize`
 * (`ggml/src/ggml-cuda/ggml-cuda.cu`, llama.cpp v0.5.0). Both runs are the experts': their choice, and their weighted sum.
 */

export function keepFusedExperts(
  nodes: Tensor[],
  keepUntil: KeepUntil,
  following: Tensor | undefined,
  fusesGates: boolean,
): void {
  if (fusesGates) groupSharedExperts(nodes, keepUntil);
  for (let i = 0; i < nodes.length; i++) {
    const gated = fusesGates ? keepGatedInputs(nodes, i, keepUntil) : 0;
    if (gated > 0) {
      i += gated - 1;
      continue;
    }
    const sum = matchWeightedSum(nodes, i);
    if (sum) {
      for (const tensor of sum.kept) keepUntil(tensor, sum.result);
      i += sum.length - 1;
    }
    const length = matchChoice(nodes, i);
    if (length === 0) continue;
    const until = nodes[i + length] ?? following;
    for (const node of nodes.slice(i, i + length)) {
      if (!until) break;
      keepUntil(node, until);
      for (const source of node.src) if (source) keepUntil(source, until);
    }
    i += length - 1;
  }
}

const NORMALISED: readonly Op[] = ['RESHAPE', 'SUM_ROWS', 'CLAMP', 'DIV', 'RESHAPE'];

/** `ggml_cuda_topk_moe_fusion` and what `graph_optimize` makes of it: how many nodes choose experts from `start` on, or 0. */
function matchChoice(nodes: readonly Tensor[], start: number): number {
  const gate = nodes[start] as Tensor;
  const activation = activationLength(nodes, start);
  if (activation === 0) return 0;
  const probs = start + activation - 1;
  const biased = nodes[probs + 2]?.op === 'ADD' && nodes[probs + 2]?.src[0] === nodes[probs];
  const bias: readonly Op[] = biased ? ['ADD'] : [];
  if (!follows(nodes, probs + 1, ['RESHAPE', ...bias, 'ARGSORT', 'VIEW', 'GET_ROWS'])) return 0;

  const sorted = probs + 2 + bias.length;
  const [reshaped, scores, ids, gathered] = [probs + 1, biased ? sorted - 1 : probs, sorted + 1, sorted + 2];
  const reads = (node: number, source: number, i = 0): boolean => nodes[node]?.src[i] === nodes[source];
  if (!reads(reshaped, probs) || !reads(sorted, scores) || !reads(ids, sorted)) return 0;
  if (!reads(gathered, reshaped) || !reads(gathered, ids, 1)) return 0;

  let end = gathered + 1;
  const normalises = normalisesFrom(nodes, end);
  if (normalises) end += NORMALISED.length;
  // A scale is looked for after a complete norm or right after the choice, not after an incomplete norm.
  const mayScale = normalises || nodes[end]?.op !== 'RESHAPE';
  if (mayScale && nodes[end]?.op === 'SCALE' && reads(end, end - 1)) end++;

  const length = end - start;
  const indices = Array.from({ length }, (_, i) => start + i);
  if (!elidable(nodes, indices, [ids - start, length - 1])) return 0;
  return runsInOneKernel(gate, nodes[end - 1] as Tensor, nodes[ids] as Tensor) ? length : 0;
}

/** Nodes of the gating function: softmax, sigmoid, or the root of a softplus. */
function activationLength(nodes: readonly Tensor[], start: number): number {
  const { op, variant } = nodes[start] as Tensor;
  if (op === 'SOFT_MAX') return 1;
  if (op !== 'UNARY') return 0;
  if (variant === 'sigmoid') return 1;
  const root = nodes[start + 1];
  return variant === 'softplus' && root?.op === 'SQRT' && root.src[0] === nodes[start] ? 2 : 0;
}

function follows(nodes: readonly Tensor[], start: number, ops: readonly Op[]): boolean {
  return ops.every((op, i) => nodes[start + i]?.op === op);
}

function normalisesFrom(nodes: readonly Tensor[], start: number): boolean {
  if (!follows(nodes, start, NORMALISED)) return false;
  const [flat, sum, clamped, quotient, reshaped] = nodes.slice(start, start + NORMALISED.length) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  if (flat.src[0] !== nodes[start - 1] || sum.src[0] !== flat || clamped.src[0] !== sum) return false;
  return quotient.src[0] === flat && quotient.src[1] === clamped && reshaped.src[0] === quotient;
}

/** Numbers of experts beside the powers of two that the kernel was compiled for. */
const OTHER_EXPERT_COUNTS = new Set([288, 576]);
const MAX_EXPERTS = 512;

/** `ggml_cuda_should_use_topk_moe` (`topk-moe.cu`). */
function runsInOneKernel(gate: Tensor, weights: Tensor, ids: Tensor): boolean {
  const experts = ids.nb[1] / ids.nb[0];
  const isPower = Number.isInteger(Math.log2(experts)) && experts <= MAX_EXPERTS;
  if (!isPower && !OTHER_EXPERT_COUNTS.has(experts)) return false;
  const logits = gate.src[0] as Tensor;
  if (!isContiguous(weights) || !isContiguous(logits)) return false;
  return gate.op !== 'SOFT_MAX' || gate.variant === 'plain';
}

const MAX_EXPERTS_SUMMED = 15;

interface WeightedSum {
  readonly kept: readonly Tensor[];
  readonly result: Tensor;
  readonly length: number;
}

/** `ggml_cuda_match_moe_weighted_reduction`: outputs times weights (and a scale before them), then added one by one. */
function matchWeightedSum(nodes: readonly Tensor[], start: number): WeightedSum | undefined {
  const first = nodes[start] as Tensor;
  if (!isProduct(first)) return undefined;
  const second = nodes[start + 1];
  const inner = factorsOf(first);
  const outer = second && isProduct(second) ? factorsOf(second) : undefined;
  const scaled = inner !== undefined && outer?.outputs === first;
  const weighted = scaled ? (second as Tensor) : first;
  const products = scaled ? 2 : 1;
  if (!inner) return undefined;

  const [, used, ...rest] = weighted.ne;
  const tokens = rest[0] * rest[1];
  const length = 2 * used + products - 1;
  if (used < 2 || used > MAX_EXPERTS_SUMMED || tokens <= 0 || start + length > nodes.length) return undefined;
  const result = addedUp(nodes.slice(start + products, start + length), weighted, tokens);
  if (!result) return undefined;
  const indices = Array.from({ length }, (_, i) => start + i);
  if (!elidable(nodes, indices, [length - 1])) return undefined;
  const kept = scaled ? [inner.outputs, outer.weights, inner.weights] : [inner.outputs, inner.weights];
  return { kept, result, length };
}

function isProduct(node: Tensor): boolean {
  return node.op === 'MUL' && node.type === F32 && isContiguous(node);
}

/** Which source has an expert's output in every row, and which one number for it. */
function factorsOf(product: Tensor): { readonly outputs: Tensor; readonly weights: Tensor } | undefined {
  const [a, b] = product.src as [Tensor, Tensor];
  const isPlain = (tensor: Tensor): boolean => tensor.type === F32 && isContiguous(tensor);
  const isWeights = ({ ne }: Tensor): boolean => ne[0] === 1 && [1, 2, 3].every((i) => ne[i] === product.ne[i]);
  if (!isPlain(a) || !isPlain(b)) return undefined;
  if (sameShape(a, product) && isWeights(b)) return { outputs: a, weights: b };
  return sameShape(b, product) && isWeights(a) ? { outputs: b, weights: a } : undefined;
}

/** The last sum, if the nodes are nothing but views of each expert's rows and their sums in order. */
function addedUp(nodes: readonly Tensor[], weighted: Tensor, tokens: number): Tensor | undefined {
  const views: Tensor[] = [];
  let sums = 0;
  let previous: Tensor | undefined;
  for (const node of nodes) {
    if (node.op === 'VIEW') {
      if (!isExpertView(node, weighted, tokens, views.length)) return undefined;
      views.push(node);
      continue;
    }
    if (node.op !== 'ADD' || node.type !== F32 || views.length < 2 || sums + 1 >= views.length) return undefined;
    if (node.src[0] !== (previous ?? views[0]) || node.src[1] !== views[sums + 1]) return undefined;
    previous = node;
    sums++;
  }
  const [width, used] = weighted.ne;
  if (!previous || views.length !== used || sums !== used - 1 || !isContiguous(previous)) return undefined;
  const { ne } = previous;
  return ne[0] === width && ne[1] === tokens && ne[2] === 1 && ne[3] === 1 ? previous : undefined;
}

function isExpertView(view: Tensor, weighted: Tensor, tokens: number, expert: number): boolean {
  const { ne, nb } = view;
  return (
    view.src[0] === weighted &&
    view.viewSrc === weighted &&
    view.type === F32 &&
    ne[0] === weighted.ne[0] &&
    ne[1] === tokens &&
    ne[2] === 1 &&
    ne[3] === 1 &&
    nb[0] === weighted.nb[0] &&
    nb[1] === weighted.nb[2] &&
    view.viewOffset === expert * weighted.nb[1]
  );
}
