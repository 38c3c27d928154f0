import { keepLast } from '../../../kept.js';
import { sameNumbers } from '../../../gguf/same-numbers.js';
import { isEmptyOp, type Op, type Tensor } from '../tensor.js';
import { accessKey, Accesses, MemoryRanges, touchedBy } from './memory-ranges.js';

/** Ops that may change places: `h_safe` of `ggml_metal_graph_optimize_reorder`. */
const MOVABLE: ReadonlySet<Op> = new Set<Op>([
  'MUL_MAT',
  'MUL_MAT_ID',
  'ROPE',
  'NORM',
  'RMS_NORM',
  'L2_NORM',
  'SUM_ROWS',
  'SSM_CONV',
  'SSM_SCAN',
  'CLAMP',
  'MUL',
  'ADD',
  'SUB',
  'DIV',
  'GLU',
  'SCALE',
  'UNARY',
  'GET_ROWS',
  'SET',
  'SET_ROWS',
  'CPY',
  'CONT',
  'REPEAT',
  'NONE',
  'RESHAPE',
  'TRANSPOSE',
  'VIEW',
  'PERMUTE',
]);

/** How far ahead a node is looked for that can run beside the current ones (`N_FORWARD`). */
const LOOK_AHEAD = 64;

/** Orders by what they depend on: the graphs of one model are alike, for a prompt and a token, and for contexts of any length. */
export type KnownOrders = { readonly key: readonly number[]; readonly order: readonly number[] }[];
const MOST_KNOWN = 32;

/**
 * `ggml_graph_optimize` (`ggml/src/ggml-metal/ggml-metal-common.cpp`, llama.cpp v0.5.0): moves nodes forward in place so that
 * more of them can run at the same time; nodes that will be fused stay together.
 */
export function reorder(nodes: Tensor[], packedLength: PackedLength, known: KnownOrders): void {
  const before = nodes.slice();
  const bounds = groupBounds(nodes, packedLength);
  const accesses = new Accesses(before, bounds);
  const key = accessKey(accesses);
  for (let group = 0; group + 1 < bounds.length; group++)
    key.push(mobilityOf((before[bounds[group] as number] as Tensor).op));
  let found = known.find((other) => sameNumbers(other.key, key));
  if (!found) {
    found = { key, order: order(before, accesses) };
    keepLast(known, found, MOST_KNOWN);
  }
  let next = 0;
  for (const group of found.order)
    for (let i = bounds[group] as number; i < (bounds[group + 1] as number); i++) nodes[next++] = before[i] as Tensor;
}

/** How many nodes from one on stay together. */
type PackedLength = (nodes: readonly Tensor[], start: number) => number;

/** Where each group of nodes that one kernel computes begins, and behind the last the end. */
export function groupBounds(nodes: readonly Tensor[], packedLength: PackedLength): number[] {
  const bounds = [0];
  for (let end = 0; end < nodes.length;) {
    end += packedLength(nodes, end);
    bounds.push(end);
  }
  return bounds;
}

function mobilityOf(op: Op): number {
  return (isEmptyOp(op) ? 1 : 0) + (MOVABLE.has(op) ? 2 : 0);
}

/** The groups in their new order. */
function order(nodes: readonly Tensor[], accesses: Accesses): number[] {
  const { bounds } = accesses;
  const groups = bounds.length - 1;
  const touched = touchedBy(accesses);
  const running = new MemoryRanges(accesses, touched);
  const waiting = new MemoryRanges(accesses, touched);
  const used = new Uint8Array(groups);
  const opOf = (group: number): Op => (nodes[bounds[group] as number] as Tensor).op;
  const result: number[] = [];
  for (let group = 0; group < groups; group++) {
    if (used[group]) continue;
    if (!isEmptyOp(opOf(group)) && !running.allows(group)) {
      waiting.clear();
      waiting.add(group);
      for (let other = group + 1; other < Math.min(group + LOOK_AHEAD, groups); other++) {
        if (used[other]) continue;
        const op = opOf(other);
        if (!MOVABLE.has(op)) break;
        if ((isEmptyOp(op) || running.allows(other)) && waiting.allows(other)) {
          running.add(other);
          result.push(other);
          used[other] = 1;
        } else {
          waiting.add(other);
        }
      }
      running.clear();
    }
    running.add(group);
    result.push(group);
  }
  return result;
}
