import { printable } from '../printable.js';
import type { ByteWindow } from './byte-window.js';
import { countInWords, GgufError, type GgufErrorCode } from './gguf-error.js';
import type { MetadataScalar, MetadataValue } from './header.js';
import {
  MAX_ELEMENTS,
  MAX_HEADER_BYTES,
  MAX_KEPT_BYTES,
  MAX_KEPT_ELEMENTS,
  MAX_KEPT_STRING_BYTES,
  MAX_KEY_BYTES,
} from './limits.js';
import { ARRAY_TYPE, FIXED_VALUE_TYPES, type FixedValueType, STRING_TYPE, VALUE_TYPE_NAMES } from './value-types.js';

/** A reader that stops (`yield`) whenever the bytes it needs next have not arrived yet. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Vocabularies, their scores and templates: only their lengths matter to an estimate. */
const TOKENIZER_PREFIX = 'tokenizer.';
const CHAT_TEMPLATE_PREFIX = 'tokenizer.chat_template';

// Tabs and line ends are ordinary in descriptions; any other control character could drive a terminal.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** Reads keys and values; keeps small ones, steps over vocabularies, templates and other long values. */
export class MetadataParser {
  readonly #window: ByteWindow;
  readonly #name: string;
  /** Where the file ends, or the longest header would. */
  readonly #endBytes: number;
  /** Of every key that was read. */
  readonly types = new Map<string, string>();
  #keptBytes = 0;
  #elements = 0;

  constructor(window: ByteWindow, name: string, endBytes: number) {
    this.#window = window;
    this.#name = name;
    this.#endBytes = endBytes;
  }

  *read(keyCount: number): Steps<Map<string, MetadataValue>> {
    const metadata = new Map<string, MetadataValue>();
    for (let index = 0; index < keyCount; index++) {
      const key = yield* this.#key(index);
      if (metadata.has(key)) this.#fail('GGUF_METADATA_INVALID', `the key ${printable(key)} occurs twice`);
      yield* this.need(4);
      const type = this.#window.u32();
      metadata.set(key, yield* this.#value(key, type));
    }
    return metadata;
  }

  *need(byteCount: number): Steps<void> {
    while (!this.#window.has(byteCount)) yield;
  }

  /** The length in front of a string or an array; throws when so much cannot follow. */
  *length(what: string, unitBytes: number): Steps<number> {
    yield* this.need(8);
    return this.arrivedLength(what, unitBytes);
  }

  /** `length` when its 8 bytes have arrived. */
  arrivedLength(what: string, unitBytes: number): number {
    const length = this.#window.u64();
    const endBytes = this.#window.position + length * unitBytes;
    if (endBytes > this.#endBytes)
      this.#failBeyondEnd(`${what} claims ${countInWords(length)} ${unitBytes === 1 ? 'bytes' : 'elements'}`);
    return length;
  }

  #failBeyondEnd(claim: string): never {
    if (this.#endBytes < MAX_HEADER_BYTES) {
      this.#fail(
        'GGUF_TRUNCATED',
        `${claim}, but the file ends after ${this.#endBytes} bytes; it is incomplete or damaged`,
      );
    }
    this.#fail('GGUF_LIMIT_EXCEEDED', `${claim}, more than the ${MAX_HEADER_BYTES} bytes a header may have`);
  }

  *#key(index: number): Steps<string> {
    const length = yield* this.length(`key ${index + 1}`, 1);
    if (length === 0) this.#fail('GGUF_METADATA_INVALID', `key ${index + 1} is empty`);
    if (length > MAX_KEY_BYTES) {
      this.#fail('GGUF_LIMIT_EXCEEDED', `key ${index + 1} has ${length} bytes; at most ${MAX_KEY_BYTES} are allowed`);
    }
    this.#keep(length);
    yield* this.need(length);
    return this.#window.text(length);
  }

  *#value(key: string, type: number): Steps<MetadataValue> {
    if (type === ARRAY_TYPE) return yield* this.#array(key);
    this.types.set(key, String(VALUE_TYPE_NAMES[type]));
    if (type === STRING_TYPE) return yield* this.#string(key);
    const fixed = this.#fixedType(key, type);
    yield* this.need(fixed.bytes);
    return this.#scalar(fixed);
  }

  *#string(key: string): Steps<MetadataValue> {
    const length = yield* this.length(`the value of ${printable(key)}`, 1);
    if (length > MAX_KEPT_STRING_BYTES || key.startsWith(CHAT_TEMPLATE_PREFIX)) {
      this.#window.skip(length);
      return { skipped: true, length };
    }
    return yield* this.#text(length);
  }

  *#array(key: string): Steps<MetadataValue> {
    yield* this.need(4);
    const type = this.#window.u32();
    if (type === ARRAY_TYPE) this.#fail('GGUF_METADATA_INVALID', `the key ${printable(key)} is an array of arrays`);
    const fixed = type === STRING_TYPE ? undefined : this.#fixedType(key, type);
    this.types.set(key, `[${VALUE_TYPE_NAMES[type]}]`);
    const length = yield* this.length(`the array ${printable(key)}`, fixed?.bytes ?? 8);
    this.#elements += length;
    if (this.#elements > MAX_ELEMENTS) {
      const claim = `the arrays up to ${printable(key)} have ${this.#elements} elements`;
      this.#fail('GGUF_LIMIT_EXCEEDED', `${claim}; at most ${MAX_ELEMENTS} are allowed`);
    }
    const kept = length <= MAX_KEPT_ELEMENTS && !key.startsWith(TOKENIZER_PREFIX);
    if (fixed === undefined) return yield* this.#strings(key, length, kept);
    if (!kept) {
      this.#window.skip(length * fixed.bytes);
      return { skipped: true, length };
    }
    yield* this.need(length * fixed.bytes);
    return Array.from({ length }, () => this.#scalar(fixed));
  }

  *#strings(key: string, length: number, kept: boolean): Steps<MetadataValue> {
    const texts: string[] = [];
    while (kept && texts.length < length) {
      const bytes = yield* this.length(`an element of ${printable(key)}`, 1);
      if (bytes > MAX_KEPT_STRING_BYTES) {
        this.#window.skip(bytes);
        yield* this.#skipStrings(key, length - texts.length - 1);
        return { skipped: true, length };
      }
      texts.push(yield* this.#text(bytes));
    }
    if (kept) return texts;
    yield* this.#skipStrings(key, length);
    return { skipped: true, length };
  }

  *#skipStrings(key: string, count: number): Steps<void> {
    let left = this.#window.skipStrings(count, this.#endBytes);
    while (left > 0) {
      yield;
      left = this.#window.skipStrings(left, this.#endBytes);
    }
    if (left < 0) this.#failBeyondEnd(`an element of ${printable(key)} is too long`);
  }

  *#text(length: number): Steps<string> {
    this.#keep(length);
    yield* this.need(length);
    return this.#window.text(length).replace(CONTROL, '\ufffd');
  }

  #scalar(type: FixedValueType): MetadataScalar {
    this.#keep(8);
    return type.read(this.#window);
  }

  #fixedType(key: string, type: number): FixedValueType {
    const fixed = FIXED_VALUE_TYPES.get(type);
    if (fixed === undefined) {
      this.#fail('GGUF_METADATA_INVALID', `the key ${printable(key)} has the unknown value type ${type}`);
    }
    return fixed;
  }

  #keep(bytes: number): void {
    this.#keptBytes += bytes;
    if (this.#keptBytes > MAX_KEPT_BYTES) {
      this.#fail('GGUF_LIMIT_EXCEEDED', `keys and values to keep exceed ${MAX_KEPT_BYTES} bytes`);
    }
  }

  #fail(code: GgufErrorCode, problem: string): never {
    throw new GgufError(code, `${this.#name}: ${problem}`);
  }
}
