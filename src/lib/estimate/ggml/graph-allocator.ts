import { BlockAllocator } from './allocator.js';
import type { Backend } from './backend.js';
import { type Device, type DeviceBytes, DeviceTally } from './device.js';
import { HAS_NO_OP, IS_INPUT, IS_OUTPUT, IS_VIEW, NONE, TAKES_OVER, type Tape, type TensorSizes } from './tape.js';
import { sameLayout, type Tensor } from './tensor.js';

/**
 * `ggml_gallocr_alloc_graph_impl` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0): walks the steps, gives each result the best
 * free place or a parent's, frees what nobody needs any more, and reports how large each device's buffer became.
 */
export function allocateGraph(tape: Tape, sizes: TensorSizes, backends: readonly Backend[]): DeviceBytes {
  return new GraphAllocator(tape, sizes, backends).run();
}

/** Before which slot to note what is in use, and from which slot on. */
export interface Watch {
  readonly slot: number;
  readonly from: number;
}

/**
 * The same, and what was noted before some slots: what is free, and where those of the slots just before lie that are in use. Where
 * two notes are the same, steps that are the same go on alike.
 */
export function allocateAndNote(
  tape: Tape,
  sizes: TensorSizes,
  backends: readonly Backend[],
  watched: readonly Watch[],
): { readonly bytes: DeviceBytes; readonly notes: ReadonlyMap<number, string> } {
  const allocator = new GraphAllocator(tape, sizes, backends);
  const fromBefore = new Map(watched.map(({ slot, from }) => [slot, from]));
  const notes = new Map<number, string>();
  const bytes = allocator.run((slot) => {
    const from = fromBefore.get(slot);
    if (from !== undefined) notes.set(slot, allocator.describe(from, slot));
  });
  return { bytes, notes };
}

class GraphAllocator {
  private readonly byDevice = new Map<Device, BlockAllocator>();
  private readonly allocators: readonly BlockAllocator[];
  /** Of each slot: steps that read it, views of it that are still to be used, whether and where it lies. */
  private readonly children: Int32Array;
  private readonly views: Int32Array;
  private readonly allocated: Uint8Array;
  private readonly holders: Int32Array;
  private readonly offsets: Float64Array;

  constructor(
    private readonly tape: Tape,
    private readonly sizes: TensorSizes,
    backends: readonly Backend[],
  ) {
    this.allocators = backends.map(({ memory, alignment, maxBuffer }) => {
      const allocator = this.byDevice.get(memory) ?? new BlockAllocator(alignment, maxBuffer);
      this.byDevice.set(memory, allocator);
      return allocator;
    });
    const slots = tape.tensors.length;
    this.children = new Int32Array(slots);
    this.views = new Int32Array(slots);
    this.allocated = new Uint8Array(slots);
    this.holders = new Int32Array(slots);
    this.offsets = new Float64Array(slots);
  }

  run(before?: (slot: number) => void): DeviceBytes {
    const { leafs, tensors, backends, starts, sources } = this.tape;
    for (let leaf = 0; leaf < leafs; leaf++) this.allocate(leaf, backends[leaf] as number);
    this.countUses();
    for (let slot = leafs; slot < tensors.length; slot++) {
      before?.(slot);
      const backend = backends[slot] as number;
      const end = starts[slot + 1] as number;
      for (let i = starts[slot] as number; i < end; i++) this.allocate(sources[i] as number, backend);
      this.allocate(slot, backend);
      for (let i = starts[slot] as number; i < end; i++) this.drop(sources[i] as number);
    }
    const total = new DeviceTally();
    for (const [device, { maxSize }] of this.byDevice) total.set(device, maxSize);
    return total;
  }

  /** What is free, and where those lie of the slots from one to another that are in use. */
  describe(from: number, to: number): string {
    const places = [...this.byDevice.values()].map((allocator) => allocator.describe());
    for (let slot = from; slot < to; slot++)
      if (this.allocated[slot]) places.push(`${slot - to}@${this.holders[slot]}:${this.offsets[slot]}`);
    return places.join(' ');
  }

  private countUses(): void {
    const { leafs, tensors, backends, traits, roots, starts, sources } = this.tape;
    for (let slot = leafs; slot < tensors.length; slot++) {
      const root = roots[slot] as number;
      if (root !== NONE && !((traits[slot] as number) & HAS_NO_OP)) (this.views[root] as number)++;
      const end = starts[slot + 1] as number;
      for (let i = starts[slot] as number; i < end; i++) {
        const source = sources[i] as number;
        (this.children[source] as number)++;
        if ((traits[source] as number) & IS_INPUT) this.allocate(source, backends[slot] as number);
      }
    }
  }

  private allocate(slot: number, backend: number): void {
    if (this.allocated[slot]) return;
    const traits = this.tape.traits[slot] as number;
    if (traits & IS_VIEW) return;
    this.allocated[slot] = 1;
    const tensor = this.tape.tensors[slot] as Tensor;
    if (traits & TAKES_OVER && this.reuseParent(slot, tensor)) return;
    this.holders[slot] = backend;
    this.offsets[slot] = (this.allocators[backend] as BlockAllocator).alloc(this.sizes.on(tensor, backend));
  }

  private reuseParent(slot: number, tensor: Tensor): boolean {
    const { tensors, traits, starts, sources } = this.tape;
    const end = starts[slot + 1] as number;
    for (let i = starts[slot] as number; i < end; i++) {
      const source = sources[i] as number;
      if (!this.allocated[source] || this.children[source] !== 1 || this.views[source] !== 0) continue;
      const parent = tensors[source] as Tensor;
      if ((traits[source] as number) & IS_OUTPUT || !sameLayout(tensor, parent)) continue;
      this.takeOver(slot, tensor, source, parent);
      return true;
    }
    return false;
  }

  private takeOver(slot: number, tensor: Tensor, source: number, parent: Tensor): void {
    const holder = this.holders[source] as number;
    const offset = this.offsets[source] as number;
    this.holders[slot] = holder;
    this.offsets[slot] = offset;
    this.allocated[source] = 0;
    const size = this.sizes.on(tensor, holder);
    const rest = this.sizes.on(parent, holder) - size;
    if (rest > 0) (this.allocators[holder] as BlockAllocator).free(offset + size, rest);
  }

  /** A step has read a source: freed, or what it is a view of, where that was the last to do so. */
  private drop(source: number): void {
    if (--(this.children[source] as number) > 0 || (this.views[source] as number) > 0) return;
    const root = this.tape.roots[source] as number;
    if (root === NONE) {
      if (this.allocated[source]) this.release(source);
    } else if (--(this.views[root] as number) === 0 && this.children[root] === 0 && this.allocated[root]) {
      this.release(root);
    }
  }

  private release(slot: number): void {
    if ((this.tape.traits[slot] as number) & IS_OUTPUT) return;
    const tensor = this.tape.tensors[slot] as Tensor;
    const holder = this.holders[slot] as number;
    (this.allocators[holder] as BlockAllocator).free(this.offsets[slot] as number, this.sizes.on(tensor, holder));
    this.allocated[slot] = 0;
  }
}
