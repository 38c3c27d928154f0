/** No free block. */
export const NONE = -1;

/** What is free of a buffer, in blocks sorted by offset; the last one is its open end. Each block is an entry of two lists. */
export class FreeBlocks {
  private readonly offsets: number[] = [0];
  private readonly sizes: number[];
  private count = 1;

  constructor(room: number) {
    this.sizes = [room];
  }

  /** As text: two that say the same will go on alike. */
  describe(): string {
    return Array.from({ length: this.count }, (_, i) => `${this.offsets[i]}+${this.sizes[i]}`).join();
  }

  /** The tightest closed block that has room; of equal ones the last. */
  tightest(size: number): number {
    const { sizes } = this;
    let best = NONE;
    let bestSize = Infinity;
    for (let i = 0; i < this.count - 1; i++) {
      const available = sizes[i] as number;
      if (available < size || available > bestSize) continue;
      best = i;
      bestSize = available;
    }
    return best;
  }

  /** Where the open end begins, or undefined if it is too short. */
  endFor(size: number): number | undefined {
    const last = this.count - 1;
    return last >= 0 && (this.sizes[last] as number) >= size ? this.offsets[last] : undefined;
  }

  get last(): number {
    return this.count - 1;
  }

  offsetOf(block: number): number {
    return this.offsets[block] as number;
  }

  /** From a block's start. */
  take(block: number, size: number): void {
    const { offsets, sizes } = this;
    (offsets[block] as number) += size;
    const rest = (sizes[block] as number) - size;
    sizes[block] = rest;
    if (rest === 0) this.remove(block);
  }

  /** A block grows where it adjoins, and takes in the one that it reaches. Empty ones may be left behind inside of it, out of order. */
  free(offset: number, size: number): void {
    const { offsets, sizes } = this;
    const end = offset + size;
    for (let i = 0; i < this.count; i++) {
      const start = offsets[i] as number;
      if (start + (sizes[i] as number) === offset) {
        (sizes[i] as number) += size;
        this.joinNext(i);
        return;
      }
      if (start === end) {
        offsets[i] = offset;
        (sizes[i] as number) += size;
        if (i > 0) this.joinNext(i - 1);
        return;
      }
    }
    let position = 0;
    while (position < this.count && (offsets[position] as number) < offset) position++;
    this.insert(position, offset, size);
  }

  /** Into one with the next block if the two adjoin. */
  private joinNext(block: number): void {
    const { offsets, sizes } = this;
    const next = block + 1;
    if (next >= this.count || (offsets[block] as number) + (sizes[block] as number) !== offsets[next]) return;
    (sizes[block] as number) += sizes[next] as number;
    this.remove(next);
  }

  private insert(block: number, offset: number, size: number): void {
    const { offsets, sizes } = this;
    for (let i = this.count++; i > block; i--) {
      offsets[i] = offsets[i - 1] as number;
      sizes[i] = sizes[i - 1] as number;
    }
    offsets[block] = offset;
    sizes[block] = size;
  }

  private remove(block: number): void {
    const { offsets, sizes } = this;
    this.count--;
    for (let i = block; i < this.count; i++) {
      offsets[i] = offsets[i + 1] as number;
      sizes[i] = sizes[i + 1] as number;
    }
  }
}
