import { HAS_NO_OP, IS_INPUT, IS_OUTPUT, IS_VIEW, NONE, TAKES_OVER, type Tape } from './tape.js';
import { sameLayout, type Tensor } from '../tensor.js';

/** A result gets the best free place, or a parent's, or its place is free again. */
export const TAKE = 0;
const TAKE_OVER = 1;
export const RELEASE = 2;

/** Before which slot to note what is in use, and from which slot on; several in the order of their slots. */
export interface Watch {
  readonly slot: number;
  readonly from: number;
}

/** Which slots are in use after so many moves. */
export interface Mark {
  readonly after: number;
  readonly slot: number;
  readonly inUse: readonly number[];
}

/** Of two slots, whether their tensors were found to have the same layout. */
export interface ComparedLayouts {
  readonly slot: number;
  readonly parent: number;
  readonly same: boolean;
}

/** What the graph allocator does for a tape, in order. It is the same for all tapes that say the same, and compare alike. */
export interface Moves {
  readonly kinds: Uint8Array;
  readonly slots: Int32Array;
  /** Whose place is taken over. */
  readonly parents: Int32Array;
  /** By slot, the backend whose memory its place is in. */
  readonly holders: Int32Array;
  readonly marks: readonly Mark[];
  readonly compared: readonly ComparedLayouts[];
}

/**
 * `ggml_gallocr_alloc_graph_impl` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0): walks the steps, gives each result a place of its own
 * or a parent's, and frees what nobody needs any more.
 */
export function movesOf(tape: Tape, watched: readonly Watch[] = []): Moves {
  return new Walk(tape, watched).run();
}

/** What was compared for moves on a tape, once each, of what its slots stand for: see `Layout`. */
export function comparedOn(origins: Int32Array, { compared }: Moves): readonly ComparedLayouts[] {
  const found = new Map<string, ComparedLayouts>();
  for (const { slot, parent, same } of compared) {
    const [own, other] = [origins[slot] as number, origins[parent] as number];
    found.set(`${own} ${other}`, { slot: own, parent: other, same });
  }
  return [...found.values()];
}

export function comparesAlike(compared: readonly ComparedLayouts[], tensors: readonly Tensor[]): boolean {
  return compared.every(
    ({ slot, parent, same }) => sameLayout(tensors[slot] as Tensor, tensors[parent] as Tensor) === same,
  );
}

class Walk {
  private readonly kinds: number[] = [];
  private readonly slots: number[] = [];
  private readonly parents: number[] = [];
  private readonly compared: ComparedLayouts[] = [];
  /** Of each slot: steps that read it, views of it that are still to be used, whether and where it lies. */
  private readonly children: Int32Array;
  private readonly views: Int32Array;
  private readonly allocated: Uint8Array;
  private readonly holders: Int32Array;
  private readonly fromBefore: ReadonlyMap<number, number>;

  constructor(
    private readonly tape: Tape,
    watched: readonly Watch[],
  ) {
    const slots = tape.tensors.length;
    this.children = new Int32Array(slots);
    this.views = new Int32Array(slots);
    this.allocated = new Uint8Array(slots);
    this.holders = new Int32Array(slots);
    this.fromBefore = new Map(watched.map(({ slot, from }) => [slot, from]));
  }

  run(): Moves {
    const { leafs, tensors, backends, starts, sources } = this.tape;
    const marks: Mark[] = [];
    for (let leaf = 0; leaf < leafs; leaf++) this.allocate(leaf, backends[leaf] as number);
    this.countUses();
    for (let slot = leafs; slot < tensors.length; slot++) {
      const from = this.fromBefore.get(slot);
      if (from !== undefined) marks.push({ after: this.slots.length, slot, inUse: this.inUse(from, slot) });
      const backend = backends[slot] as number;
      const end = starts[slot + 1] as number;
      for (let i = starts[slot] as number; i < end; i++) this.allocate(sources[i] as number, backend);
      this.allocate(slot, backend);
      for (let i = starts[slot] as number; i < end; i++) this.drop(sources[i] as number);
    }
    return {
      kinds: Uint8Array.from(this.kinds),
      slots: Int32Array.from(this.slots),
      parents: Int32Array.from(this.parents),
      holders: this.holders,
      marks,
      compared: this.compared,
    };
  }

  private inUse(from: number, to: number): number[] {
    const slots: number[] = [];
    for (let slot = from; slot < to; slot++) if (this.allocated[slot]) slots.push(slot);
    return slots;
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

  private move(kind: number, slot: number, parent: number): void {
    this.kinds.push(kind);
    this.slots.push(slot);
    this.parents.push(parent);
  }

  private allocate(slot: number, backend: number): void {
    if (this.allocated[slot]) return;
    const traits = this.tape.traits[slot] as number;
    if (traits & IS_VIEW) return;
    this.allocated[slot] = 1;
    if (traits & TAKES_OVER && this.reuseParent(slot)) return;
    this.holders[slot] = backend;
    this.move(TAKE, slot, NONE);
  }

  private reuseParent(slot: number): boolean {
    const { tensors, traits, starts, sources } = this.tape;
    const end = starts[slot + 1] as number;
    for (let i = starts[slot] as number; i < end; i++) {
      const parent = sources[i] as number;
      if (!this.allocated[parent] || this.children[parent] !== 1 || this.views[parent] !== 0) continue;
      if ((traits[parent] as number) & IS_OUTPUT) continue;
      const same = sameLayout(tensors[slot] as Tensor, tensors[parent] as Tensor);
      this.compared.push({ slot, parent, same });
      if (!same) continue;
      this.holders[slot] = this.holders[parent] as number;
      this.allocated[parent] = 0;
      this.move(TAKE_OVER, slot, parent);
      return true;
    }
    return false;
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
    this.move(RELEASE, slot, NONE);
    this.allocated[slot] = 0;
  }
}
