import type { GgmlType } from './ggml-types.js';

/**
 * A value that was stepped over: an array (vocabulary, merges, scores), of which only the number of elements is known,
 * or a long string (chat template, licence), of which only the number of bytes is known.
 */
export interface SkippedArray {
  readonly skipped: true;
  readonly length: number;
}

export type MetadataScalar = number | string | boolean;
export type MetadataValue = MetadataScalar | readonly MetadataScalar[] | SkippedArray;

/** `GGUF_DEFAULT_ALIGNMENT` in `ggml/include/gguf.h` of llama.cpp v0.5.0. */
export const DEFAULT_ALIGNMENT_BYTES = 32;

export interface GgufTensor {
  readonly name: string;
  /** Row length first, as in the file (`ne[0]` first); 1 to 4 numbers. */
  readonly dims: readonly number[];
  readonly type: GgmlType;
  /** Index into `GgufHeader.files`. */
  readonly file: number;
  /** From the start of that file. */
  readonly offsetBytes: number;
  readonly bytes: number;
}

export interface GgufFile {
  /** Size of the whole file, or undefined when the transport did not say. */
  readonly bytes: number | undefined;
  /** Where tensor data starts: header rounded up to the alignment. */
  readonly dataOffsetBytes: number;
  /** What tensor data is aligned to, when that is not GGUF's default of 32. */
  readonly alignmentBytes?: number;
}

/** What a GGUF file says before its tensor data; for a split model, all parts together, as one. */
export interface GgufHeader {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  /** Integers beyond 2^53 are the nearest number; floats may be infinite or no number; control characters in strings are U+FFFD. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** What each value is written as, in llama.cpp's words, arrays by their elements (`u32`, `[str]`); a description may not tell. */
  readonly types?: ReadonlyMap<string, string>;
  /** In file order, parts after one another. */
  readonly tensors: readonly GgufTensor[];
  readonly files: readonly GgufFile[];
}
