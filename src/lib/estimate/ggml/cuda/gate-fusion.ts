import type { KeepUntil } from '../backend.js';
import { elidable } from '../elidable.js';
import { F32, isContiguous, isQuantized, sameShape, type Tensor } from '../tensor.js';

/*
 * A feed-forward's gate, up and activation in one kernel, and the same of a shared expert beside the routed ones:
 * `ggml_backend_cuda_graph_optimize` (`ggml/src/ggml-cuda/ggml-cuda.cu`, llama.cpp v0.8.0), on cards from Turing on.
 */

const FUSED_TYPES = new Set(['Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'IQ4_XS']);
/** Whole tiles: `ggml_cuda_mmq_needs_fallback`. */
const TILE_ROWS = 128;
const FUSED_GATES = new Set(['swiglu', 'geglu', 'swiglu_oai', 'swiglu_clamp']);

interface GatedPair {
  readonly gate: Tensor;
  readonly up: Tensor;
  readonly glu: Tensor;
}

/** Two products and the gated activation of them, from `start` on; `ggml_cuda_should_fuse_mul_mat`. */
function gatedPair(nodes: readonly Tensor[], start: number, op: 'MUL_MAT' | 'MUL_MAT_ID'): GatedPair | undefined {
  const [first, second, glu] = nodes.slice(start, start + 3);
  if (!first || !second || glu?.op !== 'GLU' || first.op !== op || second.op !== op) return undefined;
  const [gate, up] = glu.src;
  if (!gate || !up || ![first, second].includes(gate) || ![first, second].includes(up) || gate === up) return undefined;
  const [ofGate, ofUp] = [gate.src[0] as Tensor, up.src[0] as Tensor];
  const isAlike = ofGate.type === ofUp.type && sameShape(ofGate, ofUp) && gate.src[1] === up.src[1];
  if (!isAlike || gate.src[2] !== up.src[2] || !FUSED_GATES.has(glu.variant)) return undefined;
  return { gate, up, glu };
}

/** How many nodes one kernel computes from `start` on, or 0; what it reads and leaves out stays until its end. */
export function keepGatedInputs(nodes: readonly Tensor[], start: number, keepUntil: KeepUntil): number {
  const pair = gatedPair(nodes, start, 'MUL_MAT') ?? gatedPair(nodes, start, 'MUL_MAT_ID');
  const weights = pair?.up.src[0];
  if (!pair || !weights || !FUSED_TYPES.has(weights.type.name) || weights.ne[1] % TILE_ROWS !== 0) return 0;
  if (pair.up.src[1]?.type !== F32) return 0;
  for (const product of [pair.gate, pair.up]) {
    keepUntil(product, pair.glu);
    for (const source of product.src) if (source) keepUntil(source, pair.glu);
  }
  return 3;
}

/** Brings the shared expert's three nodes behind the routed ones', where both are of one size. */
export function groupSharedExperts(nodes: Tensor[], keepUntil: KeepUntil): void {
  for (let routed = 0; routed + 5 < nodes.length; routed++) {
    if (!gatedPair(nodes, routed, 'MUL_MAT_ID')) continue;
    const shared = sharedExpert(nodes, routed);
    if (shared < 0) continue;
    const moved = nodes.splice(shared, 3);
    nodes.splice(routed + 3, 0, ...moved);
    const up = nodes[routed + 2]?.src[1];
    for (const source of [up?.src[1], up?.src[2]]) if (source) keepUntil(source, moved[2] as Tensor);
    routed += 5;
  }
}

/** `ggml_cuda_match_shared_expert`, looked for up to the next layer's experts. */
function sharedExpert(nodes: readonly Tensor[], routed: number): number {
  for (let at = routed + 3; at + 2 < nodes.length; at++) {
    if (nodes[at]?.op === 'MUL_MAT_ID' && nodes[at + 1]?.op === 'MUL_MAT_ID') return -1;
    if (nodes[at]?.op === 'MUL_MAT' && matchesShared(nodes, routed, at)) return at;
  }
  return -1;
}

function matchesShared(nodes: readonly Tensor[], routed: number, shared: number): boolean {
  const own = gatedPair(nodes, routed, 'MUL_MAT_ID');
  const other = gatedPair(nodes, shared, 'MUL_MAT');
  if (!own || !other || own.glu.variant !== other.glu.variant) return false;
  const indices = [routed, routed + 1, routed + 2, shared, shared + 1, shared + 2];
  if (!elidable(nodes, indices, [2, 5])) return false;
  const [weights, sharedWeights] = [own.up.src[0] as Tensor, other.up.src[0] as Tensor];
  const [input, sharedInput] = [own.up.src[1] as Tensor, other.up.src[1] as Tensor];
  const isOneInput = input.op === 'RESHAPE' && input.src[0] === sharedInput && input.ne[1] === 1 && input.ne[3] === 1;
  const isOneSize =
    weights.type === sharedWeights.type &&
    weights.ne[0] === sharedWeights.ne[0] &&
    weights.ne[1] === sharedWeights.ne[1];
  return isOneInput && isOneSize && isQuantized(weights.type) && weights.buffer !== null && isContiguous(sharedInput);
}
