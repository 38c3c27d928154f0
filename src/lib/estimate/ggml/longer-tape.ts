import { NONE, type Tape } from './tape.js';
import type { Tensor } from './tensor.js';

/** Slots of a tape that say the same as those before them, and how many more times they are to be said. */
export interface Block {
  readonly start: number;
  readonly end: number;
  /** Its leafs, of which the slots before it have as many. */
  readonly leafStart: number;
  readonly leafCount: number;
  /** Slots that the block and the one before it both read. */
  readonly shared: ReadonlySet<number>;
  readonly more: number;
}

/** A tape of repeated blocks, and for each block the slots where it and each of its repetitions end. */
export interface RepeatedTape {
  readonly tape: Tape;
  readonly ends: readonly (readonly number[])[];
}

/** A tape with each block repeated behind itself; blocks are in order. */
export function withMore(tape: Tape, blocks: readonly Block[]): RepeatedTape {
  return new LongerTape(tape, blocks).copy();
}

class LongerTape {
  private readonly leafs: number;
  private readonly tensors: Tensor[] = [];
  private readonly backends: Int32Array;
  private readonly roots: Int32Array;
  private readonly starts: Int32Array;
  private readonly sources: Int32Array;
  private sourceCount = 0;

  constructor(
    private readonly tape: Tape,
    private readonly blocks: readonly Block[],
  ) {
    const addedLeafs = sum(blocks, ({ leafCount, more }) => leafCount * more);
    const addedSteps = sum(blocks, ({ start, end, more }) => (end - start) * more);
    const added = ({ start, end, more }: Block): number =>
      more * ((tape.starts[end] as number) - (tape.starts[start] as number));
    const slots = tape.tensors.length + addedLeafs + addedSteps;
    this.leafs = tape.leafs + addedLeafs;
    this.backends = new Int32Array(slots);
    this.roots = new Int32Array(slots).fill(NONE);
    this.starts = new Int32Array(slots + 1);
    this.sources = new Int32Array(tape.sources.length + sum(blocks, added));
  }

  copy(): RepeatedTape {
    this.copyLeafs();
    const { tape, blocks } = this;
    let slot = tape.leafs;
    const ends = blocks.map((block, passed) => {
      while (slot < block.end) this.copyStep(slot++, passed, 0);
      const ended = [this.tensors.length];
      for (let copy = 1; copy <= block.more; copy++) {
        for (let repeated = block.start; repeated < block.end; repeated++) this.copyStep(repeated, passed, copy);
        ended.push(this.tensors.length);
      }
      return ended;
    });
    while (slot < tape.tensors.length) this.copyStep(slot++, blocks.length, 0);
    const { leafs, tensors, backends, roots, starts, sources } = this;
    starts[tensors.length] = this.sourceCount;
    return { tape: { leafs, tensors, backends, roots, starts, sources }, ends };
  }

  private copyLeafs(): void {
    const { tape, blocks } = this;
    const byLeaf = blocks.filter(({ leafCount }) => leafCount > 0).sort((a, b) => a.leafStart - b.leafStart);
    let leaf = 0;
    const copyTo = (end: number): void => {
      for (; leaf < end; leaf++) this.copyLeaf(leaf);
    };
    for (const { leafStart, leafCount, more } of byLeaf) {
      copyTo(leafStart + leafCount);
      for (let copy = 0; copy < more; copy++) for (let i = 0; i < leafCount; i++) this.copyLeaf(leafStart + i);
    }
    copyTo(tape.leafs);
  }

  private copyLeaf(leaf: number): void {
    const slot = this.tensors.push(this.tape.tensors[leaf] as Tensor) - 1;
    this.backends[slot] = this.tape.backends[leaf] as number;
  }

  /** A step behind `passed` blocks, as the `copy`-th repetition of the next one, 0 = itself. */
  private copyStep(step: number, passed: number, copy: number): void {
    const { tape } = this;
    const slot = this.tensors.push(tape.tensors[step] as Tensor) - 1;
    this.backends[slot] = tape.backends[step] as number;
    this.roots[slot] = this.moved(tape.roots[step] as number, passed, copy);
    this.starts[slot] = this.sourceCount;
    const end = tape.starts[step + 1] as number;
    for (let i = tape.starts[step] as number; i < end; i++)
      this.sources[this.sourceCount++] = this.moved(tape.sources[i] as number, passed, copy);
  }

  /** Where a slot is now, for a step that reads it. */
  private moved(slot: number, passed: number, copy: number): number {
    if (slot === NONE) return NONE;
    const { tape, blocks } = this;
    const isLeaf = slot < tape.leafs;
    let moved = isLeaf ? slot : slot + this.leafs - tape.leafs;
    for (let i = 0; i < blocks.length; i++) {
      const { start, end, leafStart, leafCount, shared, more } = blocks[i] as Block;
      const length = isLeaf ? leafCount : end - start;
      if (slot >= (isLeaf ? leafStart + leafCount : end)) moved += more * length;
      else if (slot >= (isLeaf ? leafStart : start - length) && !shared.has(slot)) {
        if (i < passed) moved += more * length;
        else if (i === passed) moved += copy * length;
      }
    }
    return moved;
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
