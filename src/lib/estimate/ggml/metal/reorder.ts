import { type Buffer, isEmptyOp, type Op, rootOf, type Tensor, tensorBytes } from '../tensor.js';

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

/** Nodes that one kernel computes, and what they read from outside and write. */
interface Group {
  readonly nodes: readonly Tensor[];
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
}

/**
 * `ggml_graph_optimize` (`ggml/src/ggml-metal/ggml-metal-common.cpp`, llama.cpp v0.5.0): moves nodes forward in place so that
 * more of them can run at the same time; nodes that will be fused stay together.
 */
export function reorder(nodes: Tensor[], packedLength: (nodes: readonly Tensor[], start: number) => number): void {
  const groups: Group[] = [];
  for (let i = 0; i < nodes.length;) {
    const length = packedLength(nodes, i);
    groups.push(groupOf(nodes.slice(i, i + length)));
    i += length;
  }
  let next = 0;
  for (const group of reordered(groups)) for (const node of group.nodes) nodes[next++] = node;
}

function groupOf(nodes: readonly Tensor[]): Group {
  const reads: Tensor[] = [];
  for (const node of nodes) {
    for (const source of node.src) if (source && !nodes.includes(source)) reads.push(rootOf(source));
  }
  return { nodes, reads, writes: nodes.map(rootOf) };
}

function reordered(groups: readonly Group[]): Group[] {
  const result: Group[] = [];
  const used = new Array<boolean>(groups.length).fill(false);
  const running = new MemoryRanges();
  const waiting = new MemoryRanges();
  groups.forEach((group, i) => {
    if (used[i]) return;
    if (!isEmptyGroup(group) && !running.allows(group)) {
      waiting.clear();
      waiting.add(group);
      for (let j = i + 1; j < i + LOOK_AHEAD && j < groups.length; j++) {
        if (used[j]) continue;
        const other = groups[j] as Group;
        if (!MOVABLE.has((other.nodes[0] as Tensor).op)) break;
        if ((isEmptyGroup(other) || running.allows(other)) && waiting.allows(other)) {
          running.add(other);
          result.push(other);
          used[j] = true;
        } else {
          waiting.add(other);
        }
      }
      running.clear();
    }
    running.add(group);
    result.push(group);
  });
  return result;
}

function isEmptyGroup({ nodes }: Group): boolean {
  return isEmptyOp((nodes[0] as Tensor).op);
}

interface BufferRange {
  readonly start: number;
  readonly end: number;
  readonly written: boolean;
}

/** Ranges of one buffer. */
class BufferRanges {
  private readonly ranges: BufferRange[] = [];
  private anyWritten = false;

  add(tensor: Tensor, written: boolean): void {
    this.ranges.push({ start: tensor.address, end: tensor.address + tensorBytes(tensor), written });
    this.anyWritten ||= written;
  }

  allows(tensor: Tensor, written: boolean): boolean {
    if (!written && !this.anyWritten) return true;
    const start = tensor.address;
    const end = start + tensorBytes(tensor);
    return !this.ranges.some((other) => (written || other.written) && start < other.end && end >= other.start);
  }
}

/**
 * `struct ggml_mem_ranges`: memory that a set of nodes reads or writes. Results that are not allocated yet stand for
 * themselves; caches have addresses, and a range that ends where another begins counts as touching it. A view counts as
 * writing what it shows. Weights all lie at address 0, as in llama.cpp's dry run, which is what was measured: a view of one
 * waits for every reader of another. In a loaded model it would wait for its neighbours only.
 */
class MemoryRanges {
  private readonly read = new Set<Tensor>();
  private readonly written = new Set<Tensor>();
  private readonly buffers = new Map<Buffer, BufferRanges>();

  clear(): void {
    this.read.clear();
    this.written.clear();
    this.buffers.clear();
  }

  add(group: Group): void {
    for (const tensor of group.reads) this.addOne(tensor, false);
    for (const tensor of group.writes) this.addOne(tensor, true);
  }

  allows(group: Group): boolean {
    return (
      group.reads.every((tensor) => this.allowsOne(tensor, false)) &&
      group.writes.every((tensor) => this.allowsOne(tensor, true))
    );
  }

  private addOne(tensor: Tensor, written: boolean): void {
    if (!tensor.buffer) {
      (written ? this.written : this.read).add(tensor);
      return;
    }
    const ranges = this.buffers.get(tensor.buffer) ?? new BufferRanges();
    this.buffers.set(tensor.buffer, ranges);
    ranges.add(tensor, written);
  }

  private allowsOne(tensor: Tensor, written: boolean): boolean {
    if (!tensor.buffer) return !this.written.has(tensor) && !(written && this.read.has(tensor));
    return this.buffers.get(tensor.buffer)?.allows(tensor, written) ?? true;
  }
}
