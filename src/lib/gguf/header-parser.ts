import { printable } from '../printable.js';
import { ByteWindow } from './byte-window.js';
import { countInWords, GgufError, type GgufErrorCode } from './gguf-error.js';
import { DEFAULT_ALIGNMENT_BYTES, type GgufHeader, type MetadataValue } from './header.js';
import { checkKnownKeys } from './known-keys.js';
import { MAX_ALIGNMENT_BYTES, MAX_HEADER_BYTES, MAX_KEYS, MAX_TENSORS } from './limits.js';
import { describeMagic } from './magic.js';
import { MetadataParser, type Steps } from './metadata-parser.js';
import { TensorInfoParser } from './tensor-infos.js';

/** The least a key (length, one character, type, value) and a tensor (length, dimensions, type, offset) take. */
const MIN_KEY_BYTES = 8 + 1 + 4 + 1;
const MIN_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;

const PREAMBLE_BYTES = 4 + 4 + 8 + 8;

/**
 * Reads the header of one GGUF file (version 2 or 3, either byte order) from chunks of any size as they arrive. A part
 * of a split model is read as the file it is. Throws `GgufError` as soon as a byte cannot be part of a valid header.
 */
export class GgufHeaderParser {
  readonly #window = new ByteWindow();
  readonly #name: string;
  readonly #fileBytes: number | undefined;
  readonly #steps: Steps<GgufHeader>;
  #header: GgufHeader | undefined;
  #receivedBytes = 0;

  /**
   * @param name what messages call the file
   * @param fileBytes size of the whole file, when known
   */
  constructor(name: string, fileBytes?: number) {
    this.#name = printable(name);
    this.#fileBytes = fileBytes;
    this.#steps = this.#parse();
  }

  /** The header, once it is complete. */
  get header(): GgufHeader | undefined {
    return this.#header;
  }

  /** Takes the next bytes of the file, whose memory may be used again afterwards; true once the header is complete. */
  push(chunk: Uint8Array): boolean {
    if (this.#header !== undefined) return true;
    this.#receivedBytes += chunk.length;
    this.#window.append(chunk);
    const step = this.#steps.next();
    if (step.done === true) this.#header = step.value;
    else if (this.#receivedBytes > MAX_HEADER_BYTES) this.#failTooLong();
    else this.#window.release();
    return this.#header !== undefined;
  }

  /** The header, at the end of the file; throws `GGUF_TRUNCATED` when bytes are missing. */
  end(): GgufHeader {
    if (this.#header !== undefined) return this.#header;
    const magicMissing = this.#receivedBytes < 4;
    return this.#fail(
      magicMissing ? 'GGUF_NOT_GGUF' : 'GGUF_TRUNCATED',
      magicMissing
        ? `not a GGUF file: it has only ${this.#receivedBytes} bytes`
        : `the file ends after ${this.#receivedBytes} bytes, in the middle of its header; it is incomplete, so fetch it again`,
    );
  }

  *#parse(): Steps<GgufHeader> {
    const endBytes = Math.min(this.#fileBytes ?? Infinity, MAX_HEADER_BYTES);
    const values = new MetadataParser(this.#window, this.#name, endBytes);
    yield* values.need(4);
    const magic = this.#window.text(4);
    if (magic !== 'GGUF') this.#fail('GGUF_NOT_GGUF', `not a GGUF file: ${describeMagic(magic)}`);
    yield* values.need(4);
    const version = this.#version();
    yield* values.need(PREAMBLE_BYTES - 8);
    const tensorCount = this.#count('tensors', MAX_TENSORS, MIN_TENSOR_BYTES, endBytes);
    const keyCount = this.#count('metadata keys', MAX_KEYS, MIN_KEY_BYTES, endBytes);
    const metadata = yield* values.read(keyCount);
    checkKnownKeys(metadata, this.#name, values.types);
    const alignment = this.#alignment(metadata);
    const tensorInfos = new TensorInfoParser(this.#window, values, this.#name);
    const tensors = yield* tensorInfos.read(tensorCount);
    const file = tensorInfos.place(tensors, alignment, this.#fileBytes);
    const byteOrder = this.#window.littleEndian ? 'little' : 'big';
    const types = values.types.size > 0 && { types: values.types };
    return { version, byteOrder, metadata, ...types, tensors, files: [file] };
  }

  #version(): 2 | 3 {
    const little = this.#window.u32();
    // The magic is the same in both byte orders, so a small number in the high bytes tells them apart.
    const bigEndian = (little & 0xffff) === 0 && little !== 0;
    this.#window.littleEndian = !bigEndian;
    const version = bigEndian ? ((little >>> 24) | ((little >>> 8) & 0xff00)) >>> 0 : little;
    if (version === 2 || version === 3) return version;
    const advice =
      version === 1 ? 'from before August 2023; use a newer conversion of the model' : 'and only 2 and 3 can be read';
    return this.#fail('GGUF_VERSION_UNSUPPORTED', `this is GGUF version ${version}, ${advice}`);
  }

  #count(what: string, most: number, leastBytes: number, endBytes: number): number {
    const count = this.#window.u64();
    if (count > most) {
      this.#fail('GGUF_LIMIT_EXCEEDED', `the file claims ${countInWords(count)} ${what}; at most ${most} are allowed`);
    }
    if (count * leastBytes > endBytes) {
      this.#fail(
        'GGUF_TRUNCATED',
        `the file claims ${countInWords(count)} ${what}, more than its ${endBytes} bytes can hold; it is incomplete or damaged`,
      );
    }
    return count;
  }

  #alignment(metadata: ReadonlyMap<string, MetadataValue>): number {
    const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT_BYTES;
    const valid =
      typeof alignment === 'number' && alignment <= MAX_ALIGNMENT_BYTES && Number.isInteger(Math.log2(alignment));
    if (valid) return alignment;
    return this.#fail(
      'GGUF_METADATA_INVALID',
      `general.alignment is ${String(alignment)}; it must be a power of 2 up to ${MAX_ALIGNMENT_BYTES}`,
    );
  }

  #failTooLong(): never {
    this.#fail('GGUF_LIMIT_EXCEEDED', `the header does not end within ${MAX_HEADER_BYTES} bytes`);
  }

  #fail(code: GgufErrorCode, problem: string): never {
    throw new GgufError(code, `${this.#name}: ${problem}`);
  }
}
