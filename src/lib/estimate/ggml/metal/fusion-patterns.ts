import { elidable } from '../elidable.js';
import { F32, hasContiguousRows, I32, isContiguous, type Op, rootOf, sameLayout, type Tensor } from '../tensor.js';

/** A run of graph nodes, and the positions of those that compute something, from a pattern's first on. */
export interface Window {
  readonly nodes: readonly Tensor[];
  readonly indices: readonly number[];
}

/** `struct ggml_metal_fusion` (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`, llama.cpp v0.5.0). */
export interface Fusion {
  /** With the views between them. */
  readonly rawOps: readonly Op[];
  readonly ops: readonly Op[];
  /** The check alone decides; otherwise the nodes must also form a chain. `unsafe` in ggml. */
  readonly selfContained: boolean;
  readonly check: (matched: readonly Tensor[], window: Window, fusion: Fusion) => boolean;
}

const MAX_EXPERTS_TOP_K = 1024;
const MAX_EXPERTS_REDUCED = 8;
const MAX_ADDS = 7;

/** The weight or bias of each fused step has the width of the rows and contiguous ones. */
function normFollowedByWeights(matched: readonly Tensor[]): boolean {
  const [first, ...rest] = matched as [Tensor, ...Tensor[]];
  return rest.every((node, i) => {
    const weight = node.src[1];
    return (
      node.src[0] === matched[i] && weight?.ne[0] === first.ne[0] && hasContiguousRows(weight) && node.type === F32
    );
  });
}

function normScaled([first, second]: readonly Tensor[]): boolean {
  return second?.src[0] === first && second?.type === F32;
}

function addChain(matched: readonly Tensor[]): boolean {
  return matched.every((node, i) => {
    const previous = matched[i - 1];
    if (!previous) return true;
    return node.src[0] === previous && sameLayout(node.src[1] as Tensor, previous.src[1] as Tensor);
  });
}

function convThenSilu([conv, silu]: readonly Tensor[]): boolean {
  return (
    silu?.src[0] === conv &&
    silu?.variant === 'silu' &&
    conv?.type === F32 &&
    silu !== undefined &&
    hasContiguousRows(silu)
  );
}

/** Types that the kernels for a few rows multiply: `ggml_metal_mul_mv_mma_type_supported` (`ggml-metal-common.cpp`). */
const FEW_ROWS_TYPES = ['F32', 'F16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'];
const MORE_FEW_ROWS_TYPES = [
  'BF16',
  'Q1_0',
  'Q2_0',
  'MXFP4',
  'Q2_K',
  'Q3_K',
  'IQ2_XXS',
  'IQ2_XS',
  'IQ2_S',
  'IQ3_XXS',
].concat(['IQ3_S', 'IQ1_S', 'IQ1_M', 'IQ4_NL', 'IQ4_XS', 'TQ2_0']);

/** Names of the types that have kernels for a few rows. */
export function fewRowsTypes(moreTypes: boolean): ReadonlySet<string> {
  return new Set(moreTypes ? [...FEW_ROWS_TYPES, ...MORE_FEW_ROWS_TYPES] : FEW_ROWS_TYPES);
}

/** A product and the sum with something that is no weight: `ggml_metal_fusion_check_mul_mat_add`, from b11402..b11434 on. */
export function matrixAdd(types: ReadonlySet<string>): Fusion {
  return fusion(['MUL_MAT', 'ADD'], false, (matched) => productThenSum(matched, types));
}

function productThenSum([product, sum]: readonly Tensor[], types: ReadonlySet<string>): boolean {
  const [weights, rows] = product?.src ?? [];
  if (!product || !sum || !weights || !rows) return false;
  const [a, b] = sum.src;
  if ((a === product) === (b === product)) return false;
  const other = a === product ? b : a;
  if (other?.type !== F32 || sum.type !== F32 || rootOf(other).buffer?.usage === 'weights') return false;
  return types.has(weights.type.name) && rows.type === F32;
}

/** The recurrent state's copy into the cache is written by the delta-net kernel itself. */
function deltaNetIntoCache([gdn, copy]: readonly Tensor[]): boolean {
  const values = gdn?.src[2];
  const [source, target] = copy?.src ?? [];
  if (!gdn || !copy || !values || !source || !target || gdn.isOutput || copy.isOutput) return false;
  const [headSize, heads, tokens, sequences] = values.ne;
  const tail = 4 * headSize * heads * tokens * sequences;
  if (source.op !== 'VIEW' || source.viewSrc !== gdn || source.viewOffset !== tail || !isContiguous(source))
    return false;
  const stateSize = headSize * headSize * heads;
  const expected = [stateSize, sequences, Math.min(tokens, gdn.snapshots), 1];
  return (
    target.type === F32 &&
    expected.every((n, i) => n === target.ne[i]) &&
    target.nb[0] === 4 &&
    target.nb[1] === 4 * stateSize
  );
}

/** Softmax, selection and gathering of the experts' weights, with or without norm and scale. */
function topKExperts(_: readonly Tensor[], { nodes, indices }: Window, { ops, rawOps }: Fusion): boolean {
  const withNorm = ops.includes('SUM_ROWS');
  const withScale = ops.includes('SCALE');
  const start = indices[0] as number;
  let end = indices[ops.length - 1] as number;
  if (withNorm && !withScale) {
    const trailing = nodes[end + 1];
    if (trailing?.op !== 'RESHAPE' || trailing.src[0] !== nodes[end]) return false;
    end++;
  }
  const run = nodes.slice(start, end + 1);
  if (run.length !== rawOps.length || !run.every((node, i) => node.op === rawOps[i])) return false;
  const [softmax, probs, sorted, ids, weights, ...tail] = run as [Tensor, Tensor, Tensor, Tensor, Tensor, ...Tensor[]];
  const logits = softmax.src[0] as Tensor;
  const out = run.at(-1) as Tensor;
  if (softmax.variant !== 'plain' || logits.type !== F32 || out.type !== F32 || ids.type !== I32) return false;
  const [experts, tokens, ...higher] = logits.ne;
  const used = ids.ne[0];
  if (experts > MAX_EXPERTS_TOP_K || used > experts || higher.some((n) => n !== 1)) return false;
  if (ids.ne[1] !== tokens || out.ne[0] !== 1 || out.ne[1] !== used || out.ne[2] !== tokens) return false;
  if (!isContiguous(logits) || !isContiguous(out) || ids.nb[1] !== 4 * experts) return false;
  if (probs.src[0] !== softmax || sorted.src[0] !== softmax || ids.src[0] !== sorted) return false;
  if (weights.src[0] !== probs || weights.src[1] !== ids) return false;
  if (withNorm) {
    const [flat, sum, clamped, quotient, reshaped] = tail as [Tensor, Tensor, Tensor, Tensor, Tensor];
    if (flat.src[0] !== weights || sum.src[0] !== flat || clamped.src[0] !== sum) return false;
    if (quotient.src[0] !== flat || quotient.src[1] !== clamped || reshaped.src[0] !== quotient) return false;
    if (withScale && out.src[0] !== reshaped) return false;
  } else if (withScale && out.src[0] !== weights) {
    return false;
  }
  const all = run.map((_node, i) => start + i);
  return elidable(nodes, all, [3, run.length - 1]);
}

/** The experts' outputs weighted, then summed one by one. */
function reduceExperts(_: readonly Tensor[], { nodes, indices }: Window, { ops, rawOps }: Fusion): boolean {
  const used = ops.length;
  const start = indices[0] as number;
  const run = nodes.slice(start, start + rawOps.length);
  if (run.length !== rawOps.length || !run.every((node, i) => node.op === rawOps[i])) return false;
  if (nodes[start + 1 + used]?.op === 'VIEW') return false;
  if (indices[used - 1] !== start + rawOps.length - 1) return false;
  const product = run[0] as Tensor;
  const [experts, weights] = product.src as [Tensor, Tensor];
  const out = run.at(-1) as Tensor;
  const [width, , tokens] = experts.ne;
  if (experts.type !== F32 || weights.type !== F32 || out.type !== F32 || product.type !== F32) return false;
  if (experts.ne[1] !== used || experts.ne[3] !== 1) return false;
  if (weights.ne[0] !== 1 || weights.ne[1] !== used || weights.ne[2] !== tokens || weights.ne[3] !== 1) return false;
  if (out.ne[0] !== width || out.ne[1] !== tokens || out.ne[2] !== 1 || out.ne[3] !== 1) return false;
  if (![experts, weights, out].every(isContiguous)) return false;
  const views = run.slice(1, used + 1);
  const adds = run.slice(used + 1);
  const viewsFit = views.every(
    (view, i) =>
      view.src[0] === product &&
      rootOf(view) === product &&
      view.viewOffset === i * product.nb[1] &&
      view.ne[0] === width &&
      view.ne[1] === tokens &&
      view.nb[1] === product.nb[2],
  );
  if (!viewsFit) return false;
  if (!adds.every((sum, i) => sum.src[0] === (i === 0 ? views[0] : adds[i - 1]) && sum.src[1] === views[i + 1]))
    return false;
  const all = run.map((_node, i) => start + i);
  return elidable(nodes, all, [run.length - 1]);
}

function fusion(rawOps: readonly Op[], selfContained: boolean, check: Fusion['check']): Fusion {
  const views: readonly Op[] = ['VIEW', 'RESHAPE'];
  return { rawOps, ops: rawOps.filter((op) => !views.includes(op)), selfContained, check };
}

function repeated(op: Op, count: number): Op[] {
  return new Array<Op>(count).fill(op);
}

const TOP_K: Op[] = ['SOFT_MAX', 'RESHAPE', 'ARGSORT', 'VIEW', 'GET_ROWS'];
const TOP_K_NORM: Op[] = [...TOP_K, 'RESHAPE', 'SUM_ROWS', 'CLAMP', 'DIV', 'RESHAPE'];

/** `ggml_metal_fusions`. The snake activation is left out: no language model's graph has it. */
export const FUSIONS: readonly Fusion[] = [
  ...(['NORM', 'RMS_NORM'] as const).flatMap((norm) => [
    fusion([norm, 'MUL'], false, normFollowedByWeights),
    fusion([norm, 'MUL', 'ADD'], false, normFollowedByWeights),
    fusion([norm, 'SCALE'], false, normScaled),
  ]),
  ...Array.from({ length: MAX_ADDS - 1 }, (_, i) => fusion(repeated('ADD', i + 2), false, addChain)),
  fusion(['GATED_DELTA_NET', 'CPY'], true, deltaNetIntoCache),
  ...[TOP_K, [...TOP_K, 'SCALE' as const], TOP_K_NORM, [...TOP_K_NORM, 'SCALE' as const]].map((ops) =>
    fusion(ops, true, topKExperts),
  ),
  ...Array.from({ length: MAX_EXPERTS_REDUCED - 1 }, (_, i) =>
    fusion(['MUL', ...repeated('VIEW', i + 2), ...repeated('ADD', i + 1)], true, reduceExperts),
  ),
  fusion(['SSM_CONV', 'UNARY'], false, convThenSilu),
];
