import type { Backend } from './backend.js';
import type { Graph } from './graph.js';
import { NONE } from './allocation/tape.js';
import { type Buffer, type Op, startOf, type Tensor, tensorBytes } from './tensor.js';

/** What the scheduler was told beside a graph. */
export interface SchedulerOptions {
  readonly backends: readonly Backend[];
  readonly opOffload: boolean;
}

const OP_NUMBERS = new Map<Op, number>();

function opNumber(op: Op): number {
  let number = OP_NUMBERS.get(op);
  if (number === undefined) OP_NUMBERS.set(op, (number = OP_NUMBERS.size));
  return number;
}

/**
 * All that backends are chosen by in a graph that none has been chosen for yet: what it computes of what, and what backends
 * say of its nodes. Two of which it is the same are scheduled alike, but for what `Backend.optimize` depends on.
 */
export function describe({ leafs, nodes, sampled }: Graph, options: SchedulerOptions): Int32Array {
  let number = 0;
  for (const leaf of leafs) leaf.number = number++;
  for (const node of nodes) node.number = number++;
  for (const tensor of sampled) tensor.number = number++;
  const description = new Description(options, mostNumbers([leafs, nodes, sampled], leafs.length, options));
  description.put(leafs.length);
  description.put(nodes.length);
  description.put(options.opOffload ? 1 : 0);
  description.putMemory(leafs);
  for (const leaf of leafs) description.putTensor(leaf);
  for (const node of nodes) description.putTensor(node);
  for (const tensor of sampled) if (tensor.op !== 'NONE') description.putTensor(tensor);
  return description.written;
}

/** A backend's answers take two bits. */
const ANSWERS_OF_NUMBER = 15;
const MOST_OF_MEMORY = 6;
const MOST_OF_TENSOR = 5;

function mostNumbers(lists: readonly (readonly Tensor[])[], leafs: number, { backends }: SchedulerOptions): number {
  const ofEach = MOST_OF_TENSOR + Math.ceil(backends.length / ANSWERS_OF_NUMBER);
  let most = 3 + leafs * MOST_OF_MEMORY;
  for (const tensors of lists) for (const { src } of tensors) most += ofEach + src.length;
  return most;
}

class Description {
  private readonly numbers: Int32Array;
  private count = 0;

  constructor(
    private readonly options: SchedulerOptions,
    most: number,
  ) {
    this.numbers = new Int32Array(most);
  }

  get written(): Int32Array {
    return this.numbers.subarray(0, this.count);
  }

  put(number: number): void {
    this.numbers[this.count++] = number;
  }

  putTensor(tensor: Tensor): void {
    const { op, src, viewSrc } = tensor;
    this.putAnswers(tensor);
    this.put(opNumber(op));
    this.put(tensor.backend);
    this.put((tensor.isInput ? 2 : 0) + (tensor.isOutput ? 1 : 0));
    this.put(viewSrc ? viewSrc.number : NONE);
    this.put(src.length);
    for (const source of src) this.put(source ? source.number : NONE);
  }

  private putAnswers(tensor: Tensor): void {
    const { backends } = this.options;
    for (let i = 0, answers = 0; i < backends.length; i++) {
      const backend = backends[i] as Backend;
      answers = answers * 4 + (backend.supportsOp(tensor) ? 2 : 0) + (backend.offloadsOp(tensor) ? 1 : 0);
      if (i + 1 < backends.length && i % ANSWERS_OF_NUMBER !== ANSWERS_OF_NUMBER - 1) continue;
      this.put(answers);
      answers = 0;
    }
  }

  /** Of leafs that have memory: whose, and of caches in which order they begin and end, which is all that matters of addresses. */
  putMemory(leafs: readonly Tensor[]): void {
    const buffers = new Map<Buffer, Tensor[]>();
    for (const leaf of leafs) {
      const { buffer } = leaf;
      this.put(buffer ? leaf.layer : NONE - 1);
      if (!buffer) continue;
      let inside = buffers.get(buffer);
      if (!inside) buffers.set(buffer, (inside = []));
      inside.push(leaf);
      const first = inside[0] as Tensor;
      this.put(first.number);
      if (first !== leaf) continue;
      this.put(buffer.device === 'cpu' ? NONE : buffer.device);
      this.put((buffer.apart ? 4 : 0) + (buffer.usage === 'weights' ? 2 : 0) + (buffer.repacked ? 1 : 0));
    }
    for (const inside of buffers.values()) {
      const ranks = addressRanks(inside);
      if (!ranks) continue;
      for (const tensor of inside) {
        this.put(ranks.get(startOf(tensor)) as number);
        this.put(ranks.get(startOf(tensor) + tensorBytes(tensor)) as number);
      }
    }
  }
}

/** Of the addresses where a buffer's tensors begin and end, how many are below; null where all begin at the buffer's start, as weights do. */
export function addressRanks(tensors: readonly Tensor[]): ReadonlyMap<number, number> | null {
  if (tensors.every((tensor) => startOf(tensor) === 0)) return null;
  const ends = new Set<number>();
  for (const tensor of tensors) ends.add(startOf(tensor)).add(startOf(tensor) + tensorBytes(tensor));
  return new Map([...ends].sort((a, b) => a - b).map((end, rank) => [end, rank]));
}
