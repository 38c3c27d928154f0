import type { Block } from './longer-tape.js';
import { NONE, type Tape, type TensorSizes } from './tape.js';
import { sameLayout, type Tensor } from './tensor.js';

/** Layers on a tape that repeat each other, and how many more of them there are in the model. */
export interface Repetition {
  /** The slots where each of them begins, and behind the last where it ends. */
  readonly bounds: readonly number[];
  readonly more: number;
}

/**
 * What to repeat of the tape of some layers for that of all: where two layers in a row have the same steps, which read the same or
 * what lies as far away from them, the second. Null where no two do.
 */
export function repeatedBlocks(tape: Tape, sizes: TensorSizes, repetitions: readonly Repetition[]): Block[] | null {
  const blocks: Block[] = [];
  for (const repetition of repetitions) {
    const block = repeatableBlock(tape, sizes, repetition);
    if (!block) return null;
    blocks.push(block);
  }
  return blocks;
}

/** The first run of steps as long as a repetition, of which each is like the one a repetition before it. */
function repeatableBlock(tape: Tape, sizes: TensorSizes, { bounds, more }: Repetition): Block | null {
  const first = bounds[0] as number;
  const last = bounds.at(-1) as number;
  for (const length of lengths(bounds)) {
    const comparison = new Comparison(tape, sizes, length);
    let alike = 0;
    for (let slot = first + length; slot < last; slot++) {
      alike = comparison.sameSlot(slot) ? alike + 1 : 0;
      const block = alike < length ? null : comparison.block(slot + 1, more);
      if (block) return block;
    }
  }
  return null;
}

/** Steps from one repetition to the next; the first may be mixed with what is before it. */
function lengths(bounds: readonly number[]): Set<number> {
  const all = bounds.map((end, i) => end - (bounds[i - 1] ?? NaN));
  return new Set(all.filter((length) => length > 0).reverse());
}

/** Of slots with those `length` before them. */
class Comparison {
  constructor(
    private readonly tape: Tape,
    private readonly sizes: TensorSizes,
    private readonly length: number,
  ) {}

  /** What lies before `end`, if the leafs that it reads are like those before them. */
  block(end: number, more: number): Block | null {
    const { tape, length } = this;
    const start = end - length;
    const shared = new Set<number>();
    let leafStart = Infinity;
    let leafEnd = 0;
    let leafCount = 0;
    for (let i = tape.starts[start] as number; i < (tape.starts[end] as number); i++) {
      const slot = tape.sources[i] as number;
      const before = tape.sources[
        i - (tape.starts[start] as number) + (tape.starts[start - length] as number)
      ] as number;
      if (slot === before) shared.add(slot);
      else if (slot < tape.leafs) {
        leafCount ||= slot - before;
        if (slot - before !== leafCount) return null;
        leafStart = Math.min(leafStart, slot);
        leafEnd = Math.max(leafEnd, slot + 1);
      } else if (slot < start - length) return null;
    }
    if (leafCount < 0 || leafEnd > leafStart + leafCount) return null;
    for (let leaf = leafStart; leaf < leafStart + leafCount; leaf++)
      if (leaf < leafCount || !this.sameTensor(leaf - leafCount, leaf)) return null;
    return { start, end, leafStart, leafCount, shared, more };
  }

  sameSlot(slot: number): boolean {
    const { tape } = this;
    const before = slot - this.length;
    if (!this.sameTensor(before, slot)) return false;
    if (!this.asFarAway(tape.roots[before] as number, tape.roots[slot] as number)) return false;
    const offset = (tape.starts[slot] as number) - (tape.starts[before] as number);
    const last = tape.starts[slot + 1] as number;
    if (last - offset !== tape.starts[before + 1]) return false;
    for (let i = tape.starts[slot] as number; i < last; i++)
      if (!this.asFarAway(tape.sources[i - offset] as number, tape.sources[i] as number)) return false;
    return true;
  }

  private asFarAway(before: number, slot: number): boolean {
    if (before === slot) return true;
    if (before === NONE || slot === NONE) return false;
    if (slot < this.tape.leafs || before < this.tape.leafs) return slot < this.tape.leafs && before < this.tape.leafs;
    return slot - before === this.length;
  }

  /** Of a view nothing matters but that it is one. */
  private sameTensor(before: number, slot: number): boolean {
    const { tensors, backends } = this.tape;
    const a = tensors[before] as Tensor;
    const b = tensors[slot] as Tensor;
    const backend = backends[slot] as number;
    if (a.op !== b.op || backends[before] !== backend || a.isOutput !== b.isOutput || a.isInput !== b.isInput)
      return false;
    if (a.viewSrc || b.viewSrc) return a.viewSrc !== null && b.viewSrc !== null;
    return sameLayout(a, b) && this.sizes.on(a, backend) === this.sizes.on(b, backend);
  }
}
