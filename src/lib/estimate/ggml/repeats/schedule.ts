import { type Backend, optimizationKey } from '../backend.js';
import type { Graph } from '../graph.js';
import { copyOn, type Plan } from '../scheduler.js';
import { NONE } from '../allocation/tape.js';
import { type Buffer, type Op, type Tensor, tensorBytes } from '../tensor.js';

/** What the scheduler was told beside a graph. */
export interface SchedulerOptions {
  readonly backends: readonly Backend[];
  readonly opOffload: boolean;
}

/** An operand that is read from a copy on another backend; graph tensors by number. */
interface ReadCopy {
  readonly node: number;
  readonly operand: number;
  readonly original: number;
  readonly backend: number;
}

/** What became of a graph, tensors by their numbers in it: leafs first, then nodes. */
export interface Schedule {
  /** As `describe` says it of the graph before. */
  readonly said: Int32Array;
  readonly backends: Int8Array;
  readonly copies: readonly ReadCopy[];
  /** Runs of nodes on one backend, with what their optimization depends on. */
  readonly runs: Plan['runs'];
  /** By slot of its tape: a tensor's number, or behind those the number of a copy; views without a number hold nothing. */
  readonly tensorOf: Int32Array;
}

const OP_NUMBERS = new Map<Op, number>();

function opNumber(op: Op): number {
  let number = OP_NUMBERS.get(op);
  if (number === undefined) OP_NUMBERS.set(op, (number = OP_NUMBERS.size));
  return number;
}

/** Numbers that are written to over and over, as many as there are of a graph. */
class Scratch {
  private numbers = new Int32Array(1 << 14);
  private count = 0;

  clear(): void {
    this.count = 0;
  }

  put(number: number): void {
    if (this.count === this.numbers.length) {
      const larger = new Int32Array(2 * this.count);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.count++] = number;
  }

  get written(): Int32Array {
    return this.numbers.subarray(0, this.count);
  }
}

const SCRATCH = new Scratch();

/**
 * All that backends are chosen by in a graph that none has been chosen for yet: what it computes of what, and what backends
 * say of its nodes. Two of which it is the same are scheduled alike, but for what `Backend.optimize` depends on. The next call
 * writes over it.
 */
export function describe({ leafs, nodes }: Graph, { backends, opOffload }: SchedulerOptions): Int32Array {
  SCRATCH.clear();
  SCRATCH.put(leafs.length);
  SCRATCH.put(nodes.length);
  SCRATCH.put(opOffload ? 1 : 0);
  let number = 0;
  for (const leaf of leafs) leaf.number = number++;
  for (const node of nodes) node.number = number++;
  describeMemory(leafs);
  for (const tensor of leafs) describeTensor(tensor, backends);
  for (const tensor of nodes) describeTensor(tensor, backends);
  return SCRATCH.written;
}

/** Two bits each. */
const ANSWERS_OF_NUMBER = 15;

function describeTensor(tensor: Tensor, backends: readonly Backend[]): void {
  const { op, src, viewSrc } = tensor;
  for (let i = 0, answers = 0; i < backends.length; i++) {
    const backend = backends[i] as Backend;
    answers = answers * 4 + (backend.supportsOp(tensor) ? 2 : 0) + (backend.offloadsOp(tensor) ? 1 : 0);
    if (i + 1 < backends.length && i % ANSWERS_OF_NUMBER !== ANSWERS_OF_NUMBER - 1) continue;
    SCRATCH.put(answers);
    answers = 0;
  }
  SCRATCH.put(opNumber(op));
  SCRATCH.put(tensor.backend);
  SCRATCH.put((tensor.isInput ? 2 : 0) + (tensor.isOutput ? 1 : 0));
  SCRATCH.put(viewSrc ? viewSrc.number : NONE);
  SCRATCH.put(src.length);
  for (const source of src) SCRATCH.put(source ? source.number : NONE);
}

/** Of leafs that have memory: whose, and of caches in which order they begin and end, which is all that matters of addresses. */
function describeMemory(leafs: readonly Tensor[]): void {
  const buffers = new Map<Buffer, Tensor[]>();
  for (const leaf of leafs) {
    const { buffer } = leaf;
    SCRATCH.put(buffer ? leaf.layer : NONE - 1);
    if (!buffer) continue;
    let inside = buffers.get(buffer);
    if (!inside) buffers.set(buffer, (inside = []));
    inside.push(leaf);
    const first = inside[0] as Tensor;
    SCRATCH.put(first.number);
    if (first !== leaf) continue;
    SCRATCH.put(buffer.device === 'cpu' ? NONE : buffer.device);
    SCRATCH.put((buffer.usage === 'weights' ? 2 : 0) + (buffer.repacked ? 1 : 0));
  }
  for (const inside of buffers.values()) {
    if (inside.every(({ address }) => address === 0)) continue;
    const ends = new Set<number>();
    for (const tensor of inside) ends.add(tensor.address).add(tensor.address + tensorBytes(tensor));
    const ranks = new Map([...ends].sort((a, b) => a - b).map((end, rank) => [end, rank]));
    for (const tensor of inside) {
      SCRATCH.put(ranks.get(tensor.address) as number);
      SCRATCH.put(ranks.get(tensor.address + tensorBytes(tensor)) as number);
    }
  }
}

/** `said` is what was said of the graph before it was planned, `tensors` are those of its tape. */
export function scheduleOf(graph: Graph, said: Int32Array, { runs }: Plan, tensors: readonly Tensor[]): Schedule {
  const all = [...graph.leafs, ...graph.nodes];
  const copies: ReadCopy[] = [];
  const numberOf = new Map<Tensor, number>(all.map((tensor, number) => [tensor, number]));
  graph.nodes.forEach((node, i) => {
    node.src.forEach((source, operand) => {
      if (!source?.original) return;
      if (!numberOf.has(source)) numberOf.set(source, all.length + copies.length);
      const original = numberOf.get(source.original) as number;
      copies.push({ node: graph.leafs.length + i, operand, original, backend: source.backend });
    });
  });
  return {
    said,
    backends: Int8Array.from(all, ({ backend }) => backend),
    copies,
    runs,
    tensorOf: Int32Array.from(tensors, (tensor) => numberOf.get(tensor) ?? NONE),
  };
}

/** Gives a graph of which the same was said the backends and copies that another one got: its tensors by number, and those. */
export function reschedule({ leafs, nodes }: Graph, { backends, copies }: Schedule): readonly Tensor[] {
  const all = [...leafs, ...nodes];
  for (let number = 0; number < backends.length; number++) (all[number] as Tensor).backend = backends[number] as number;
  for (const { node, operand, original, backend } of copies) {
    const copy = copyOn(all[original] as Tensor, backend);
    (all[node] as Tensor).src[operand] = copy;
    all.push(copy);
  }
  return all;
}

/** Of the tape that another graph became, where `all` are a graph's that was rescheduled as it. */
export function tensorsBySlot(all: readonly Tensor[], { tensorOf }: Schedule): readonly Tensor[] {
  return Array.from({ length: tensorOf.length }, (_, slot) => all[tensorOf[slot] as number] as Tensor);
}

/** Whether backends will optimize a graph that was rescheduled as they did the other one. */
export function optimizesAlike({ nodes }: Graph, { runs }: Schedule, backends: readonly Backend[]): boolean {
  let start = 0;
  return runs.every(({ backend, end, key }) => {
    const found = optimizationKey(backends[backend] as Backend, nodes.slice(start, end), nodes[end]);
    start = end;
    return isSame(found, key);
  });
}

export function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
