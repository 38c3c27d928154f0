import { graphError } from '../graph-error.js';
import { pad } from '../tensor.js';

interface FreeBlock {
  offset: number;
  size: number;
}

/** A buffer of its own. */
interface Chunk {
  /** Sorted by offset; the last one is the open end. */
  readonly blocks: FreeBlock[];
  maxSize: number;
}

/** No free block. */
const NONE = -1;
/** `GGML_VBUFFER_MAX_CHUNKS`; the last one may grow without limit. */
const MAX_CHUNKS = 16;
/** Between the addresses of two chunks' starts: more than any chunk holds. */
const CHUNK_SPACING = 2 ** 48;

/**
 * `struct ggml_dyn_tallocr` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0): best fit among the free blocks, the open end of a
 * chunk only if nothing else will do, another chunk where the open ends are too short.
 */
export class BlockAllocator {
  private readonly chunks: Chunk[] = [];
  /** In which chunk a free block was found last. */
  private found = 0;

  constructor(
    private readonly alignment: number,
    private readonly maxChunk = Infinity,
  ) {}

  /** Highest address in use so far, in bytes: the size that the buffers will have. */
  get maxSize(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.maxSize, 0);
  }

  /** Free blocks as text: two allocators that say the same will go on alike. */
  describe(): string {
    return this.chunks.map(({ blocks }) => blocks.map(({ offset, size }) => `${offset}+${size}`).join()).join('|');
  }

  /** @throws CheckIncompleteError MODEL_GRAPH_INVALID for sizes that no machine has */
  alloc(bytes: number): number {
    const size = pad(bytes, this.alignment);
    let index = this.bestFit(size);
    if (index === NONE) index = this.bestEnd(size);
    if (index === NONE) index = this.newChunk(size);
    const chunk = this.chunks[this.found] as Chunk;
    const block = chunk.blocks[index] as FreeBlock;
    const { offset } = block;
    // No machine has as much memory, and addresses of two chunks would be the same.
    if (!(offset + size < CHUNK_SPACING)) throw graphError(`its buffers would take ${offset + size} bytes`);
    block.offset += size;
    block.size -= size;
    if (block.size === 0) chunk.blocks.splice(index, 1);
    chunk.maxSize = Math.max(chunk.maxSize, offset + size);
    return this.found * CHUNK_SPACING + offset;
  }

  /** The tightest of a chunk's closed blocks; a later chunk's goes before an earlier one's. */
  private bestFit(size: number): number {
    let best = NONE;
    for (let index = 0; index < this.chunks.length; index++) {
      const { blocks } = this.chunks[index] as Chunk;
      let bestSize = Infinity;
      for (let i = 0; i < blocks.length - 1; i++) {
        const available = (blocks[i] as FreeBlock).size;
        if (available < size || available > bestSize) continue;
        best = i;
        bestSize = available;
        this.found = index;
      }
    }
    return best;
  }

  /** The open end that grows its chunk least, or leaves least of it unused. */
  private bestEnd(size: number): number {
    let best = NONE;
    let bestReuse = -Infinity;
    for (let index = 0; index < this.chunks.length; index++) {
      const { blocks, maxSize } = this.chunks[index] as Chunk;
      const end = blocks.at(-1);
      if (!end || end.size < size) continue;
      const reuse = maxSize - end.offset - size;
      if (bestReuse < 0 ? reuse <= bestReuse : reuse < 0 || reuse >= bestReuse) continue;
      best = blocks.length - 1;
      bestReuse = reuse;
      this.found = index;
    }
    return best;
  }

  private newChunk(size: number): number {
    this.found = this.chunks.length;
    const room = this.found === MAX_CHUNKS - 1 ? Infinity : Math.max(size, this.maxChunk);
    this.chunks.push({ blocks: [{ offset: 0, size: room }], maxSize: 0 });
    return 0;
  }

  free(address: number, bytes: number): void {
    const size = pad(bytes, this.alignment);
    const index = Math.floor(address / CHUNK_SPACING);
    const offset = address - index * CHUNK_SPACING;
    const { blocks } = this.chunks[index] as Chunk;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i] as FreeBlock;
      if (block.offset + block.size === offset) {
        block.size += size;
        const next = blocks[i + 1];
        if (next && block.offset + block.size === next.offset) {
          block.size += next.size;
          blocks.splice(i + 1, 1);
        }
        return;
      }
      if (offset + size === block.offset) {
        block.offset = offset;
        block.size += size;
        const previous = blocks[i - 1];
        if (previous && previous.offset + previous.size === block.offset) {
          previous.size += block.size;
          blocks.splice(i, 1);
        }
        return;
      }
    }
    let position = 0;
    while (position < blocks.length && (blocks[position] as FreeBlock).offset < offset) position++;
    blocks.splice(position, 0, { offset, size });
  }
}
