import type { Switches } from '../../../runtime/llama-cpp.js';
import type { KeepUntil } from '../backend.js';
import { elidable } from '../elidable.js';
import { isEmptyOp, isEmptyTensor, type Op, sameShape, type Tensor } from '../tensor.js';
import { fewRowsTypes, FUSIONS, type Fusion, matrixAdd, type Window } from './fusion-patterns.js';

/** Nodes that one fused kernel can span at most: `GGML_METAL_FUSION_MAX` (`ggml-metal-fusion.h`). */
const MAX_FUSED = 16;

/** `ggml_metal_fusions` (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`) of one llama.cpp. */
export interface FusionTable {
  readonly byFirstOp: ReadonlyMap<Op, readonly Fusion[]>;
  /** Nodes without elements take part, so that a batch without output is planned like any other. */
  readonly fusesEmpty: boolean;
}

export function fusionTable({ metalMatrixAdd, metalMatrixAddTypes }: Switches): FusionTable {
  const fusions = metalMatrixAdd ? [...FUSIONS, matrixAdd(fewRowsTypes(metalMatrixAddTypes))] : FUSIONS;
  const byFirstOp = new Map<Op, Fusion[]>();
  for (const fusion of fusions) {
    const first = fusion.rawOps[0] as Op;
    byFirstOp.set(first, [...(byFirstOp.get(first) ?? []), fusion]);
  }
  return { byFirstOp, fusesEmpty: metalMatrixAdd };
}

/**
 * `ggml_metal_fusion_add_alloc_deps` (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`, llama.cpp v0.5.0): what a possibly fused
 * kernel reads stays allocated until its last node, wherever the ops alone look like a pattern.
 */
export function keepFusedInputs(nodes: readonly Tensor[], table: FusionTable, keepUntil: KeepUntil): void {
  for (let i = 0; i < nodes.length;) {
    const length = rawPatternLength(nodes, i, table);
    if (length === 0) {
      i++;
      continue;
    }
    keepInputs(nodes, i, i + length, keepUntil);
    i += length;
  }
}

function keepInputs(nodes: readonly Tensor[], start: number, end: number, keepUntil: KeepUntil): void {
  const last = nodes[end - 1] as Tensor;
  const seen: Tensor[] = [];
  for (let i = start; i < end; i++) {
    const node = nodes[i] as Tensor;
    for (const source of node.src) {
      if (!source || seen.includes(source)) continue;
      seen.push(source);
      keepUntil(source, last);
    }
    seen.push(node);
  }
}

function rawPatternLength(nodes: readonly Tensor[], start: number, { byFirstOp }: FusionTable): number {
  let longest = 0;
  for (const { rawOps } of byFirstOp.get((nodes[start] as Tensor).op) ?? []) {
    if (rawOps.length > longest && beginsWith(nodes, start, rawOps)) longest = rawOps.length;
  }
  return longest;
}

function beginsWith(nodes: readonly Tensor[], start: number, ops: readonly Op[]): boolean {
  for (let i = 1; i < ops.length; i++) if (nodes[start + i]?.op !== ops[i]) return false;
  return true;
}

/**
 * `ggml_metal_fusion_max`: how many nodes from `start` on stay together because patterns follow one another; views between
 * them are taken along.
 */
export function fusedLength(nodes: readonly Tensor[], start: number, table: FusionTable): number {
  const first = nodes[start] as Tensor;
  const { byFirstOp, fusesEmpty } = table;
  if (!byFirstOp.has(first.op) || (!fusesEmpty && isEmptyTensor(first))) return 1;
  let second = start + 1;
  while (second < nodes.length && isSkipped(nodes[second] as Tensor, table)) second++;
  if (!isBegun(first, nodes[second], table)) return 1;
  const indices = [start];
  for (let i = second; i < nodes.length && indices.length < MAX_FUSED; i++)
    if (!isSkipped(nodes[i] as Tensor, table)) indices.push(i);
  let fused = 0;
  while (fused < indices.length) {
    const length = longestMatch({ nodes, indices: fused === 0 ? indices : indices.slice(fused) }, table);
    if (length === 1) break;
    fused += length;
  }
  return fused === 0 ? 1 : Math.min(MAX_FUSED, (indices[fused - 1] as number) - start + 1);
}

function isSkipped(node: Tensor, { fusesEmpty }: FusionTable): boolean {
  return isEmptyOp(node.op) || (!fusesEmpty && isEmptyTensor(node));
}

/** Whether two nodes are how some pattern begins; most are not, and need no longer look. */
function isBegun(first: Tensor, next: Tensor | undefined, { byFirstOp }: FusionTable): boolean {
  for (const { ops } of byFirstOp.get(first.op) ?? []) if (ops[1] === next?.op) return true;
  return false;
}

/** `ggml_metal_fusion_next` with structural checks only. */
function longestMatch(window: Window, { byFirstOp }: FusionTable): number {
  const { nodes, indices } = window;
  let longest = 1;
  for (const fusion of byFirstOp.get((nodes[indices[0] as number] as Tensor).op) ?? []) {
    const { ops } = fusion;
    if (ops.length <= longest || ops.length > indices.length || !hasOps(window, ops)) continue;
    const matched = indices.slice(0, ops.length).map((index) => nodes[index] as Tensor);
    if (!fusion.selfContained && !isChain(matched, window)) continue;
    if (fusion.check(matched, window, fusion)) longest = ops.length;
  }
  return longest;
}

function hasOps({ nodes, indices }: Window, ops: readonly Op[]): boolean {
  for (let i = ops.length - 1; i >= 0; i--) if ((nodes[indices[i] as number] as Tensor).op !== ops[i]) return false;
  return true;
}

/** Each node reads the one before it, all have one shape, and nobody else needs what is in between. */
function isChain(matched: readonly Tensor[], { nodes, indices }: Window): boolean {
  for (let i = 1; i < matched.length; i++) {
    const node = matched[i] as Tensor;
    const previous = matched[i - 1] as Tensor;
    if (node.src[0] !== previous && node.src[1] !== previous) return false;
    if (!sameShape(node, previous)) return false;
  }
  return elidable(nodes, indices.slice(0, matched.length), [matched.length - 1]);
}
