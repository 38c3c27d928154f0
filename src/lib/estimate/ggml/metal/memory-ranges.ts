import { addressRanks } from '../description.js';
import { type Buffer, rootOf, startOf, Tensor, tensorBytes } from '../tensor.js';

/** Tensors of one buffer, where each begins and ends: in the order of these addresses, which is all that matters of them. */
interface Inside {
  readonly numbers: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

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
  readonly inside: readonly Inside[];

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
    this.inside = this.findInside();
  }

  private numberOf(tensor: Tensor): number {
    if (this.tensors[tensor.number] !== tensor) tensor.number = this.tensors.push(tensor) - 1;
    return tensor.number;
  }

  /** Those that all begin at one address, as weights do, touch one another: the first stands for them. */
  private findInside(): readonly Inside[] {
    const found: Inside[] = [];
    const standsFor = this.tensors.map((_, number) => number);
    for (const numbers of this.byBuffer().values()) {
      const tensors = numbers.map((number) => this.tensors[number] as Tensor);
      const ranks = addressRanks(tensors);
      const rankOf = (address: number): number => ranks?.get(address) ?? address;
      if (!ranks && tensors.every((tensor) => tensorBytes(tensor) > 0))
        for (const number of numbers) standsFor[number] = numbers[0] as number;
      else
        found.push({
          numbers,
          starts: tensors.map((tensor) => rankOf(startOf(tensor))),
          ends: tensors.map((tensor) => rankOf(startOf(tensor) + tensorBytes(tensor))),
        });
    }
    for (let i = 0; i < this.reads.length; i++) this.reads[i] = standsFor[this.reads[i] as number] as number;
    for (let i = 0; i < this.writes.length; i++) this.writes[i] = standsFor[this.writes[i] as number] as number;
    return found;
  }

  private byBuffer(): ReadonlyMap<Buffer, readonly number[]> {
    const found = new Map<Buffer, number[]>();
    this.tensors.forEach((tensor, number) => {
      const memory = memoryOf(tensor);
      if (memory instanceof Tensor) return;
      const numbers = found.get(memory);
      if (numbers) numbers.push(number);
      else found.set(memory, [number]);
    });
    return found;
  }
}

/** What `MemoryRanges` asks of accesses, as numbers: where two are the same, both allow the same, as for contexts of two lengths. */
export function accessKey({ tensors, bounds, readBounds, reads, writes, inside }: Accesses): number[] {
  const key = [bounds.length, tensors.length, inside.length, ...bounds, ...readBounds, ...reads, ...writes];
  for (const { numbers, starts, ends } of inside) key.push(numbers.length, ...numbers, ...starts, ...ends);
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
export function touchedBy({ tensors, inside }: Accesses): readonly (readonly number[])[] {
  const touched = tensors.map((_, number) => [number]);
  for (const { numbers, starts, ends } of inside) {
    const touches = (a: number, b: number): boolean =>
      (starts[a] as number) < (ends[b] as number) && (ends[a] as number) >= (starts[b] as number);
    const note = (a: number, b: number): void => {
      if (touches(a, b)) touched[numbers[a] as number]?.push(numbers[b] as number);
    };
    // What has no bytes, such as a state that a layer does without, does not even touch itself.
    for (const [a, number] of numbers.entries()) if (!touches(a, a)) touched[number] = [];
    const sorted = [...numbers.keys()].sort((a, b) => (starts[a] as number) - (starts[b] as number));
    sorted.forEach((a, i) => {
      for (let j = i + 1; j < sorted.length; j++) {
        const b = sorted[j] as number;
        if ((starts[b] as number) > (ends[a] as number)) break;
        note(a, b);
        note(b, a);
      }
    });
  }
  return touched;
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
