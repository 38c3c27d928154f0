import { FreeBlocks, NONE } from '../free-blocks.js';
import { graphError } from '../graph-error.js';

/** A buffer of its own. */
interface Chunk {
  readonly free: FreeBlocks;
  maxSize: number;
}

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

  constructor(private readonly maxChunk = Infinity) {}

  /** Highest address in use so far, in bytes: the size that the buffers will have. */
  get maxSize(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.maxSize, 0);
  }

  /** Free blocks as text: two allocators that say the same will go on alike. */
  describe(): string {
    return this.chunks.map(({ free }) => free.describe()).join('|');
  }

  /**
   * @param size a multiple of the buffer's alignment, as `TensorSizes` has them
   * @throws CheckIncompleteError MODEL_GRAPH_INVALID for sizes that no machine has
   */
  alloc(size: number): number {
    let index = this.bestFit(size);
    if (index === NONE) index = this.bestEnd(size);
    if (index === NONE) index = this.newChunk(size);
    const chunk = this.chunks[this.found] as Chunk;
    const offset = chunk.free.offsetOf(index);
    // No machine has as much memory, and addresses of two chunks would be the same.
    if (!(offset + size < CHUNK_SPACING)) throw graphError(`its buffers would take ${offset + size} bytes`);
    chunk.free.take(index, size);
    chunk.maxSize = Math.max(chunk.maxSize, offset + size);
    return this.found * CHUNK_SPACING + offset;
  }

  /** The tightest of a chunk's closed blocks; a later chunk's goes before an earlier one's. */
  private bestFit(size: number): number {
    let best = NONE;
    for (let index = 0; index < this.chunks.length; index++) {
      const block = (this.chunks[index] as Chunk).free.tightest(size);
      if (block === NONE) continue;
      best = block;
      this.found = index;
    }
    return best;
  }

  /** The open end that grows its chunk least, or leaves least of it unused. */
  private bestEnd(size: number): number {
    let best = NONE;
    let bestReuse = -Infinity;
    for (let index = 0; index < this.chunks.length; index++) {
      const { free, maxSize } = this.chunks[index] as Chunk;
      const offset = free.endFor(size);
      if (offset === undefined) continue;
      const reuse = maxSize - offset - size;
      if (bestReuse < 0 ? reuse <= bestReuse : reuse < 0 || reuse >= bestReuse) continue;
      best = free.last;
      bestReuse = reuse;
      this.found = index;
    }
    return best;
  }

  private newChunk(size: number): number {
    this.found = this.chunks.length;
    const room = this.found === MAX_CHUNKS - 1 ? Infinity : Math.max(size, this.maxChunk);
    this.chunks.push({ free: new FreeBlocks(room), maxSize: 0 });
    return 0;
  }

  free(address: number, size: number): void {
    const index = Math.floor(address / CHUNK_SPACING);
    (this.chunks[index] as Chunk).free.free(address - index * CHUNK_SPACING, size);
  }
}
