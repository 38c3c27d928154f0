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

/** Ranges of one buffer. */
class BufferRanges {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly written: boolean[] = [];
  private count = 0;
  private anyWritten = false;

  clear(): void {
    this.count = 0;
    this.anyWritten = false;
  }

  add(tensor: Tensor, written: boolean): void {
    const i = this.count++;
    this.starts[i] = startOf(tensor);
    this.ends[i] = startOf(tensor) + tensorBytes(tensor);
    this.written[i] = written;
    this.anyWritten ||= written;
  }

  allows(tensor: Tensor, written: boolean): boolean {
    if (!written && !this.anyWritten) return true;
    const start = startOf(tensor);
    const end = start + tensorBytes(tensor);
    for (let i = 0; i < this.count; i++) {
      const matters = written || this.written[i];
      if (matters && start < (this.ends[i] as number) && end >= (this.starts[i] as number)) return false;
    }
    return true;
  }
}

/**
 * `struct ggml_mem_ranges`: memory that a set of nodes reads or writes. Results that are not allocated yet stand for
 * themselves; caches have addresses, and a range that ends where another begins counts as touching it. A view counts as
 * writing what it shows. Weights that were not loaded all lie at address 0, as in llama.cpp's dry run: a view of one waits for every
 * reader of another. In a loaded model it waits for readers of its own (and of its neighbours, where they touch).
 */
export class MemoryRanges {
  /** Of each tensor without memory of its own, when it was last read and written: `now` = since all was cleared. */
  private readonly read: Int32Array;
  private readonly written: Int32Array;
  private now = 1;
  private readonly buffers = new Map<Buffer, BufferRanges>();

  constructor(private readonly accesses: Accesses) {
    this.read = new Int32Array(accesses.tensors.length);
    this.written = new Int32Array(accesses.tensors.length);
  }

  clear(): void {
    this.now++;
    for (const ranges of this.buffers.values()) ranges.clear();
  }

  add(group: number): void {
    const { bounds, readBounds, reads, writes } = this.accesses;
    for (let i = readBounds[group] as number; i < (readBounds[group + 1] as number); i++)
      this.addOne(reads[i] as number, false);
    for (let i = bounds[group] as number; i < (bounds[group + 1] as number); i++)
      this.addOne(writes[i] as number, true);
  }

  allows(group: number): boolean {
    const { bounds, readBounds, reads, writes } = this.accesses;
    for (let i = readBounds[group] as number; i < (readBounds[group + 1] as number); i++)
      if (!this.allowsOne(reads[i] as number, false)) return false;
    for (let i = bounds[group] as number; i < (bounds[group + 1] as number); i++)
      if (!this.allowsOne(writes[i] as number, true)) return false;
    return true;
  }

  private addOne(number: number, written: boolean): void {
    const tensor = this.accesses.tensors[number] as Tensor;
    if (!tensor.buffer || tensor.buffer.apart) {
      (written ? this.written : this.read)[number] = this.now;
      return;
    }
    let ranges = this.buffers.get(tensor.buffer);
    if (!ranges) this.buffers.set(tensor.buffer, (ranges = new BufferRanges()));
    ranges.add(tensor, written);
  }

  private allowsOne(number: number, written: boolean): boolean {
    const tensor = this.accesses.tensors[number] as Tensor;
    if (tensor.buffer && !tensor.buffer.apart) return this.buffers.get(tensor.buffer)?.allows(tensor, written) ?? true;
    return this.written[number] !== this.now && !(written && this.read[number] === this.now);
  }
}
