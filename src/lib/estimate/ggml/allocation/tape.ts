import { sameNumbers } from '../../../gguf/same-numbers.js';
import type { Backend } from '../backend.js';
import type { Step } from '../scheduler.js';
import { type Op, pad, rootOf, type Tensor } from '../tensor.js';

/** No slot: nothing there, or memory that exists before the graph is planned. */
export const NONE = -1;

/** What the graph allocator asks of a tensor most often, as bits. */
export const IS_VIEW = 1;
export const IS_OUTPUT = 2;
export const IS_INPUT = 4;
/** It may take a parent's place. */
export const TAKES_OVER = 8;
/** It computes nothing and shows nothing: an input, or a step without an op. */
export const HAS_NO_OP = 16;
/** It is another tensor's copy on another device. */
export const IS_COPY = 32;
/** It reads what has memory already: weights, caches. */
export const READS_MEMORY = 64;

/** `ggml_op_can_inplace` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0). */
const INPLACE: ReadonlySet<Op> = new Set<Op>([
  'FILL',
  'SCALE',
  'ADD',
  'ADD_ID',
  'SUB',
  'MUL',
  'DIV',
  'SQR',
  'SQRT',
  'LOG',
  'UNARY',
  'ROPE',
  'ROPE_BACK',
  'RMS_NORM',
  'CLAMP',
  'SOFT_MAX',
]);

function traitsOf({ op, viewSrc, isOutput, isInput, original }: Tensor): number {
  return (
    (viewSrc ? IS_VIEW : 0) |
    (isOutput ? IS_OUTPUT : 0) |
    (isInput ? IS_INPUT : 0) |
    (INPLACE.has(op) ? TAKES_OVER : 0) |
    (op === 'NONE' ? HAS_NO_OP : 0) |
    (original ? IS_COPY : 0)
  );
}

/**
 * What the graph allocator sees of a graph: a slot for every leaf without memory of its own, then one for every step, in order.
 * Tensors with the same number of a slot may repeat: a repeated layer has slots of its own, but its tensors only once.
 */
export interface Tape extends TapeSteps {
  readonly tensors: readonly Tensor[];
}

/** What a tape says, whatever the size of its tensors. */
export interface TapeSteps {
  readonly leafs: number;
  /** Backend by slot. */
  readonly backends: Int32Array;
  readonly traits: Uint8Array;
  /** Slot of what a slot's tensor is a view of. */
  readonly roots: Int32Array;
  /** Where a slot's sources begin in `sources`, and after the last slot where they end. */
  readonly starts: Int32Array;
  readonly sources: Int32Array;
}

/** Each tensor keeps the number of its slot. A step that brings an input to a place kept for it from the start adds nothing. */
export function record(steps: readonly Step[], leafs: readonly Tensor[]): Tape {
  const tensors: Tensor[] = [];
  for (const leaf of leafs) if (!leaf.buffer && leaf.slot === NONE) leaf.slot = tensors.push(leaf) - 1;
  const nLeafs = tensors.length;
  const backends = new Int32Array(nLeafs + steps.length);
  let nSources = 0;
  for (const { node, backend } of steps) {
    if (node.slot !== NONE) continue;
    node.slot = tensors.push(node) - 1;
    backends[node.slot] = backend;
    nSources += node.src.length;
  }
  const roots = new Int32Array(tensors.length).fill(NONE);
  const traits = new Uint8Array(tensors.length);
  const starts = new Int32Array(tensors.length + 1);
  const sources = new Int32Array(nSources);
  let end = 0;
  tensors.forEach((tensor, slot) => {
    starts[slot] = end;
    traits[slot] = traitsOf(tensor);
    if (slot < nLeafs) backends[slot] = tensor.backend;
    else
      for (const source of tensor.src) {
        if (!source) continue;
        if (rootOf(source).buffer) (traits[slot] as number) |= READS_MEMORY;
        else sources[end++] = slotOf(source);
      }
    if (tensor.viewSrc) roots[slot] = slotOf(tensor.viewSrc);
  });
  starts[tensors.length] = end;
  return {
    leafs: nLeafs,
    tensors,
    backends: backends.subarray(0, tensors.length),
    traits,
    roots,
    starts,
    sources: sources.subarray(0, end),
  };
}

export function withoutTensors({ leafs, backends, traits, roots, starts, sources }: Tape): TapeSteps {
  return { leafs, backends, traits, roots, starts, sources };
}

export function saysTheSame(a: TapeSteps, b: TapeSteps): boolean {
  return (
    a.leafs === b.leafs &&
    sameNumbers(a.starts, b.starts) &&
    sameNumbers(a.sources, b.sources) &&
    sameNumbers(a.roots, b.roots) &&
    sameNumbers(a.backends, b.backends) &&
    sameNumbers(a.traits, b.traits)
  );
}

function slotOf(tensor: Tensor): number {
  if (tensor.slot === NONE && !tensor.buffer) throw new Error(`a graph reads a ${tensor.op} that is not part of it`);
  return tensor.slot;
}

/** What the tensors of a tape take on each backend, worked out once. */
export class TensorSizes {
  private readonly known: Float64Array;

  constructor(
    private readonly backends: readonly Backend[],
    private readonly tensors: readonly Tensor[],
  ) {
    this.known = new Float64Array(tensors.length * backends.length).fill(-1);
  }

  on(tensor: Tensor, backend: number): number {
    return this.ofSlot(tensor.slot, backend);
  }

  ofSlot(slot: number, backend: number): number {
    const index = slot * this.backends.length + backend;
    const known = this.known[index] as number;
    return known >= 0 ? known : (this.known[index] = this.sizeOf(this.tensors[slot] as Tensor, backend));
  }

  private sizeOf(tensor: Tensor, backend: number): number {
    const { allocSize, alignment } = this.backends[backend] as Backend;
    return pad(allocSize(tensor), alignment);
  }
}
