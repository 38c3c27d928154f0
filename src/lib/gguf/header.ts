import type { GgmlType } from './ggml-types.js';

/** An array whose elements were stepped over (vocabulary, merges, scores): only how many there were is known. */
export interface SkippedArray {
  readonly skipped: true;
  readonly length: number;
}

export type MetadataScalar = number | string | boolean;
export type MetadataValue = MetadataScalar | readonly MetadataScalar[] | SkippedArray;

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
}

/** What a GGUF file says before its tensor data; for a split model, all parts together, as one. */
export interface GgufHeader {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** In file order, parts after one another. */
  readonly tensors: readonly GgufTensor[];
  readonly files: readonly GgufFile[];
}
