const EMPTY = new Uint8Array(0);
const TWO_32 = 2 ** 32;

/** Smallest buffer that leftovers are gathered in, so that tiny chunks do not allocate each time. */
const MIN_SCRATCH_BYTES = 4096;

/**
 * The bytes that arrived and were not read yet. A chunk is read where it lies; only what is left of it at the end is
 * copied, so memory is bounded by one chunk and the longest single value, and time is linear in the bytes.
 */
export class ByteWindow {
  littleEndian = true;
  #bytes: Uint8Array = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer);
  #text: Buffer = Buffer.from(EMPTY.buffer);
  #start = 0;
  #end = 0;
  #scratch: Uint8Array = EMPTY;
  #position = 0;
  #toSkip = 0;

  /** How many bytes were read or skipped since the first, including those to skip that did not arrive yet. */
  get position(): number {
    return this.#position;
  }

  has(count: number): boolean {
    return this.#toSkip === 0 && this.#end - this.#start >= count;
  }

  append(chunk: Uint8Array): void {
    const skipped = Math.min(this.#toSkip, chunk.length);
    this.#toSkip -= skipped;
    const fresh = skipped === 0 ? chunk : chunk.subarray(skipped);
    if (this.#start === this.#end) this.#show(fresh, 0, fresh.length);
    else this.#gather(fresh);
  }

  /** Copies what is left out of the last chunk, whose memory the caller may then use again. */
  release(): void {
    if (this.#bytes === this.#scratch) return;
    const left = this.#bytes.subarray(this.#start, this.#end);
    this.#show(EMPTY, 0, 0);
    if (left.length > 0) this.#gather(left);
  }

  skip(count: number): void {
    this.#position += count;
    const here = Math.min(count, this.#end - this.#start);
    this.#start += here;
    this.#toSkip += count - here;
  }

  /**
   * Steps over up to `count` strings (a 64-bit length and as many bytes) as far as their lengths arrived. Returns how
   * many are left, or -1 when one ends after `limit` bytes from the start.
   */
  skipStrings(count: number, limit: number): number {
    if (this.#toSkip > 0) return count;
    const limitHere = limit - this.#position + this.#start;
    const stepOver = this.littleEndian ? stepOverStrings : stepOverBigEndianStrings;
    const [at, left] = stepOver(this.#bytes, this.#start, this.#end, count);
    if (at > limitHere) return -1;
    this.skip(at - this.#start);
    return left;
  }

  u8 = (): number => this.#view.getUint8(this.#advance(1));
  i8 = (): number => this.#view.getInt8(this.#advance(1));
  u16 = (): number => this.#view.getUint16(this.#advance(2), this.littleEndian);
  i16 = (): number => this.#view.getInt16(this.#advance(2), this.littleEndian);
  u32 = (): number => this.#view.getUint32(this.#advance(4), this.littleEndian);
  i32 = (): number => this.#view.getInt32(this.#advance(4), this.littleEndian);
  f32 = (): number => this.#view.getFloat32(this.#advance(4), this.littleEndian);
  f64 = (): number => this.#view.getFloat64(this.#advance(8), this.littleEndian);
  /** The nearest number; exact below 2^53. */
  u64 = (): number => this.#u64At(this.#advance(8));
  i64 = (): number => Number(this.#view.getBigInt64(this.#advance(8), this.littleEndian));

  /** UTF-8; what is not becomes U+FFFD. */
  text(byteCount: number): string {
    const start = this.#advance(byteCount);
    return this.#text.toString('utf8', start, start + byteCount);
  }

  #u64At(at: number): number {
    const first = this.#view.getUint32(at, this.littleEndian);
    const second = this.#view.getUint32(at + 4, this.littleEndian);
    return this.littleEndian ? second * TWO_32 + first : first * TWO_32 + second;
  }

  #advance(count: number): number {
    const at = this.#start;
    this.#start += count;
    this.#position += count;
    return at;
  }

  #gather(fresh: Uint8Array): void {
    const left = this.#bytes.subarray(this.#start, this.#end);
    const needed = left.length + fresh.length;
    const inPlace = this.#bytes === this.#scratch && this.#end + fresh.length <= this.#scratch.length;
    if (inPlace) {
      this.#scratch.set(fresh, this.#end);
      this.#end += fresh.length;
      return;
    }
    const roomy = this.#scratch.length >= 1.5 * needed;
    const target = roomy ? this.#scratch : new Uint8Array(Math.max(MIN_SCRATCH_BYTES, 2 * needed));
    target.set(left, 0);
    target.set(fresh, left.length);
    this.#scratch = target;
    this.#show(target, 0, needed);
  }

  #show(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.#end = end;
  }
}

/**
 * Where the strings after `start` end whose lengths lie before `end`, and how many of `count` are left. Runs once for
 * each word of a vocabulary, mostly before it is compiled, when single bytes are read faster than through a `DataView`.
 */
function stepOverStrings(bytes: Uint8Array, start: number, end: number, count: number): [at: number, left: number] {
  let at = start;
  let left = count;
  while (left > 0 && end - at >= 8) {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    const high =
      (bytes[at + 3] as number) |
      (bytes[at + 4] as number) |
      (bytes[at + 5] as number) |
      (bytes[at + 6] as number) |
      (bytes[at + 7] as number);
    at += 8 + (high === 0 ? low : longLength(bytes, at, true));
    left--;
  }
  return [at, left];
}

function stepOverBigEndianStrings(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): [at: number, left: number] {
  let at = start;
  let left = count;
  for (; left > 0 && end - at >= 8; left--) at += 8 + longLength(bytes, at, false);
  return [at, left];
}

function longLength(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, littleEndian));
}
