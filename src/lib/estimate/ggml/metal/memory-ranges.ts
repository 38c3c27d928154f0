import { addressRanks } from '../description.js';
import { NONE } from '../allocation/tape.js';
import { type Buffer, rootOf, startOf, type Tensor, tensorBytes } from '../tensor.js';

/**
 * What each of a graph's groups of nodes reads from outside and writes, by numbers of tensors that are no views. What none of them writes,
 * such as weights, may be read at any time, and is left out.
 */
export class Accesses {
  readonly tensors: Tensor[] = [];
  /** Of each group, where its reads begin in `reads`; those of the next one end them. */
  readonly readBounds: Int32Array;
  readonly reads: number[] = [];
  /** What each node writes. */
  readonly writes: Int32Array;

  /** `bounds` are the groups' first nodes, and behind the last the end. */
  constructor(
    nodes: readonly Tensor[],
    readonly bounds: readonly number[],
  ) {
    this.writes = new Int32Array(nodes.length);
    this.readBounds = new Int32Array(bounds.length);
    const written = new Set<Tensor | Buffer>();
    nodes.forEach((node, i) => {
      const root = rootOf(node);
      this.writes[i] = this.numberOf(root);
      written.add(memoryOf(root));
    });
    for (let group = 0; group + 1 < bounds.length; group++) {
      const start = bounds[group] as number;
      const end = bounds[group + 1] as number;
      for (let i = start; i < end; i++) {
        for (const source of (nodes[i] as Tensor).src) {
          if (!source || isAmong(source, nodes, start, end)) continue;
          const root = rootOf(source);
          if (written.has(memoryOf(root))) this.reads.push(this.numberOf(root));
        }
      }
      this.readBounds[group + 1] = this.reads.length;
    }
  }

  private numberOf(tensor: Tensor): number {
    if (this.tensors[tensor.number] !== tensor) tensor.number = this.tensors.push(tensor) - 1;
    return tensor.number;
  }
}

/**
 * What `MemoryRanges` asks of accesses, as numbers: where two are the same, both allow the same. Of ranges in a cache only their
 * order matters, so contexts of two lengths may be the same; those that all begin at one address, as weights do, have none.
 */
export function accessKey({ tensors, bounds, readBounds, reads, writes }: Accesses): number[] {
  const key = [bounds.length, tensors.length, ...bounds, ...readBounds, ...reads, ...writes];
  const buffers: Buffer[] = [];
  const inside: Tensor[][] = [];
  for (const tensor of tensors) {
    const buffer = tensor.buffer?.apart === true ? null : tensor.buffer;
    const index = buffer ? buffers.indexOf(buffer) : NONE;
    if (buffer && index < 0) {
      key.push(buffers.push(buffer) - 1);
      inside.push([tensor]);
    } else {
      key.push(index);
      inside[index]?.push(tensor);
    }
  }
  for (const ofBuffer of inside) {
    const ranks = addressRanks(ofBuffer);
    if (!ranks) continue;
    for (const tensor of ofBuffer) {
      const start = startOf(tensor);
      key.push(ranks.get(start) as number, ranks.get(start + tensorBytes(tensor)) as number);
    }
  }
  return key;
}

/** What may be touched by touching others: a buffer, or else the tensor alone. */
function memoryOf(tensor: Tensor): Tensor | Buffer {
  return tensor.buffer && !tensor.buffer.apart ? tensor.buffer : tensor;
}

function isAmong(tensor: Tensor, nodes: readonly Tensor[], start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (nodes[i] === tensor) return true;
  return false;
}

/**
 * For each tensor those that may not be touched beside it where one of the two is written: itself, and what lies in the same buffer where its
 * own range is. A range that ends where another begins counts as touching it.
 */
export function touchedBy({ tensors }: Accesses): readonly (readonly number[])[] {
  const inside = new Map<Buffer, number[]>();
  tensors.forEach((tensor, number) => {
    const memory = memoryOf(tensor);
    if (memory === tensor) return;
    const numbers = inside.get(memory as Buffer) ?? [];
    inside.set(memory as Buffer, numbers);
    numbers.push(number);
  });
  return tensors.map((tensor, number) => {
    const memory = memoryOf(tensor);
    if (memory === tensor) return [number];
    const start = startOf(tensor);
    const end = start + tensorBytes(tensor);
    return (inside.get(memory as Buffer) as number[]).filter((other) => {
      const found = tensors[other] as Tensor;
      return start < startOf(found) + tensorBytes(found) && end >= startOf(found);
    });
  });
}

/**
 * `struct ggml_mem_ranges`: memory that a set of nodes reads or writes. Results that are not allocated yet stand for
 * themselves; caches have addresses. A view counts as
 * writing what it shows. Weights that were not loaded all lie at address 0, as in llama.cpp's dry run: a view of one waits for every
 * reader of another. In a loaded model it waits for readers of its own (and of its neighbours, where they touch).
 */
export class MemoryRanges {
  /** Of each tensor, when it was last read and written: `now` = since all was cleared. */
  private readonly read: Int32Array;
  private readonly written: Int32Array;
  private now = 1;

  constructor(
    private readonly accesses: Accesses,
    private readonly touched: readonly (readonly number[])[],
  ) {
    this.read = new Int32Array(accesses.tensors.length);
    this.written = new Int32Array(accesses.tensors.length);
  }

  clear(): void {
    this.now++;
  }

  add(group: number): void {
    const { bounds, readBounds, reads, writes } = this.accesses;
    for (let i = readBounds[group] as number; i < (readBounds[group + 1] as number); i++)
      this.read[reads[i] as number] = this.now;
    for (let i = bounds[group] as number; i < (bounds[group + 1] as number); i++)
      this.written[writes[i] as number] = this.now;
  }

  allows(group: number): boolean {
    const { bounds, readBounds, reads, writes } = this.accesses;
    for (let i = readBounds[group] as number; i < (readBounds[group + 1] as number); i++)
      if (this.isIn(this.written, reads[i] as number)) return false;
    for (let i = bounds[group] as number; i < (bounds[group + 1] as number); i++)
      if (this.isIn(this.written, writes[i] as number) || this.isIn(this.read, writes[i] as number)) return false;
    return true;
  }

  private isIn(when: Int32Array, number: number): boolean {
    const touched = this.touched[number] as readonly number[];
    for (let i = 0; i < touched.length; i++) if (when[touched[i] as number] === this.now) return true;
    return false;
  }
}
