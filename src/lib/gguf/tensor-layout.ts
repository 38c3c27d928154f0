import { type GgmlType, rowBytes } from './ggml-types.js';

/**
 * Bytes of a tensor, or undefined when no tensor has such a shape: a dimension of 0, a row that does not end with a
 * block, or more bytes than can be counted exactly.
 */
export function tensorBytes(dims: readonly number[], type: GgmlType): number | undefined {
  const rowLength = dims[0] ?? 0;
  let elements = 1;
  for (let i = 0; i < dims.length; i++) elements *= dims[i] as number;
  if (elements < 1 || !Number.isSafeInteger(elements) || rowLength % type.elementsPerBlock !== 0) return undefined;
  const bytes = rowBytes(type, elements);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Where tensors lie: one after another in the order of the list, each aligned; llama.cpp reads no other layout. */
export class TensorLayout {
  readonly dataOffsetBytes: number;
  readonly #alignment: number;
  #nextBytes: number;

  constructor(headerBytes: number, alignment: number) {
    this.#alignment = alignment;
    this.dataOffsetBytes = this.#align(headerBytes);
    this.#nextBytes = this.dataOffsetBytes;
  }

  /** Where the next tensor starts, which takes so many bytes. */
  next(bytes: number): number {
    const offsetBytes = this.#nextBytes;
    this.#nextBytes = this.#align(offsetBytes - this.dataOffsetBytes + bytes) + this.dataOffsetBytes;
    return offsetBytes;
  }

  #align(bytes: number): number {
    return Math.ceil(bytes / this.#alignment) * this.#alignment;
  }
}
