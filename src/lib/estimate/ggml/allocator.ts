import { pad } from './tensor.js';

interface FreeBlock {
  offset: number;
  size: number;
}

/**
 * `struct ggml_dyn_tallocr` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0): best fit among the free blocks, the open end only
 * if nothing else will do. One chunk: llama.cpp starts a second one where a buffer would outgrow
 * `MTLDevice.maxBufferLength`, which only the device can tell.
 */
export class BlockAllocator {
  /** Highest address in use so far, in bytes: the size that the buffer will have. */
  maxSize = 0;
  private readonly blocks: FreeBlock[] = [{ offset: 0, size: Infinity }];

  constructor(private readonly alignment: number) {}

  /** Free blocks as text: two allocators that say the same will go on alike. */
  describe(): string {
    return this.blocks.map(({ offset, size }) => `${offset}+${size}`).join();
  }

  alloc(bytes: number): number {
    const size = pad(bytes, this.alignment);
    const last = this.blocks.length - 1;
    let best = -1;
    let bestSize = Infinity;
    for (let i = 0; i < last; i++) {
      const available = (this.blocks[i] as FreeBlock).size;
      if (available >= size && available <= bestSize) {
        best = i;
        bestSize = available;
      }
    }
    if (best === -1) best = last;
    const block = this.blocks[best] as FreeBlock;
    const { offset } = block;
    block.offset += size;
    block.size -= size;
    if (block.size === 0) this.blocks.splice(best, 1);
    this.maxSize = Math.max(this.maxSize, offset + size);
    return offset;
  }

  free(offset: number, bytes: number): void {
    const size = pad(bytes, this.alignment);
    for (let i = 0; i < this.blocks.length; i++) {
      const block = this.blocks[i] as FreeBlock;
      if (block.offset + block.size === offset) {
        block.size += size;
        const next = this.blocks[i + 1];
        if (next && block.offset + block.size === next.offset) {
          block.size += next.size;
          this.blocks.splice(i + 1, 1);
        }
        return;
      }
      if (offset + size === block.offset) {
        block.offset = offset;
        block.size += size;
        const previous = this.blocks[i - 1];
        if (previous && previous.offset + previous.size === block.offset) {
          previous.size += block.size;
          this.blocks.splice(i, 1);
        }
        return;
      }
    }
    let position = 0;
    while (position < this.blocks.length && (this.blocks[position] as FreeBlock).offset < offset) position++;
    this.blocks.splice(position, 0, { offset, size });
  }
}
