import { ggmlTypeById, ggmlTypeByName, rowBytes } from '../../../src/lib/gguf/ggml-types.js';

export type ValueType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'bool' | 'str' | 'u64' | 'i64' | 'f64';

const VALUE_TYPE_IDS: Readonly<Record<ValueType, number>> = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  str: 8,
  u64: 10,
  i64: 11,
  f64: 12,
};
const ARRAY_ID = 9;

export type Scalar = number | bigint | string | boolean;

/** `[key, value, type]`, the type of an array in brackets: `['llama.block_count', 32, 'u32']`, `[..., [1, 2], '[i32]']`. */
export type Entry = readonly [key: string, value: Scalar | readonly Scalar[], type: ValueType | `[${ValueType}]`];

export interface TensorEntry {
  readonly name: string;
  readonly dims: readonly (number | bigint)[];
  /** ggml's name, or any number. */
  readonly type: string | number;
  /** Instead of the right one, from the start of tensor data. */
  readonly offset?: number | bigint;
}

export interface GgufSpec {
  readonly magic?: string;
  readonly version?: number;
  readonly byteOrder?: 'little' | 'big';
  readonly metadata?: readonly Entry[];
  readonly tensors?: readonly TensorEntry[];
  /** Instead of the true ones. */
  readonly keyCount?: number | bigint;
  readonly tensorCount?: number | bigint;
  readonly alignment?: number;
}

/** Bytes of a GGUF file under construction; every field can be written wrong on purpose. */
export class GgufWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #little: boolean;
  length = 0;

  constructor(byteOrder: 'little' | 'big' = 'little') {
    this.#little = byteOrder === 'little';
  }

  raw(bytes: Uint8Array | string): this {
    const part = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
    this.#parts.push(part);
    this.length += part.length;
    return this;
  }

  u32(value: number): this {
    return this.scalar(value, 'u32');
  }

  u64(value: number | bigint): this {
    return this.scalar(BigInt(value), 'u64');
  }

  string(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u64(bytes.length).raw(bytes);
  }

  scalar(value: Scalar, type: ValueType): this {
    if (type === 'str') return this.string(String(value));
    const view = new DataView(new ArrayBuffer(8));
    const little = this.#little;
    const number = Number(value);
    const writers: Record<Exclude<ValueType, 'str'>, () => number> = {
      u8: () => (view.setUint8(0, number), 1),
      i8: () => (view.setInt8(0, number), 1),
      bool: () => (view.setUint8(0, number), 1),
      u16: () => (view.setUint16(0, number, little), 2),
      i16: () => (view.setInt16(0, number, little), 2),
      u32: () => (view.setUint32(0, number, little), 4),
      i32: () => (view.setInt32(0, number, little), 4),
      f32: () => (view.setFloat32(0, number, little), 4),
      f64: () => (view.setFloat64(0, number, little), 8),
      u64: () => (view.setBigUint64(0, BigInt(value), little), 8),
      i64: () => (view.setBigInt64(0, BigInt(value), little), 8),
    };
    return this.raw(new Uint8Array(view.buffer, 0, writers[type]()).slice());
  }

  entry([key, value, type]: Entry): this {
    this.string(key);
    const elementType = /^\[(.*)\]$/.exec(type)?.[1] as ValueType | undefined;
    if (elementType === undefined) {
      return this.u32(VALUE_TYPE_IDS[type as ValueType]).scalar(value as Scalar, type as ValueType);
    }
    const elements = value as readonly Scalar[];
    this.u32(ARRAY_ID).u32(VALUE_TYPE_IDS[elementType]).u64(elements.length);
    for (const element of elements) this.scalar(element, elementType);
    return this;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

export interface BuiltGguf {
  /** Up to the start of tensor data, padding included. */
  readonly header: Uint8Array;
  /** Where the last tensor info ends, before padding. */
  readonly unpaddedBytes: number;
  /** Tensor data that would follow, padding included. */
  readonly dataBytes: number;
}

/** Writes the header that `spec` describes, right in all that it leaves out. */
export function buildGguf(spec: GgufSpec = {}): BuiltGguf {
  const { metadata = [['general.architecture', 'llama', 'str']], tensors = [], alignment = 32 } = spec;
  const writer = new GgufWriter(spec.byteOrder);
  writer.raw(spec.magic ?? 'GGUF').u32(spec.version ?? 3);
  writer.u64(spec.tensorCount ?? tensors.length).u64(spec.keyCount ?? metadata.length);
  for (const entry of metadata) writer.entry(entry);
  let dataBytes = 0;
  for (const { name, dims, type, offset } of tensors) {
    writer.string(name).u32(dims.length);
    for (const dim of dims) writer.u64(dim);
    const known = typeof type === 'string' ? ggmlTypeByName(type) : ggmlTypeById(type);
    writer.u32(known?.id ?? Number(type)).u64(offset ?? dataBytes);
    const elements = dims.reduce<number>((product, dim) => product * Number(dim), 1);
    if (known !== undefined) dataBytes = pad(dataBytes + rowBytes(known, elements), alignment);
  }
  const unpaddedBytes = writer.length;
  writer.raw(new Uint8Array(pad(unpaddedBytes, alignment) - unpaddedBytes));
  return { header: writer.bytes(), unpaddedBytes, dataBytes };
}

/** The whole file, tensor data as zeros. */
export function buildGgufFile(spec: GgufSpec = {}): Uint8Array {
  const { header, dataBytes } = buildGguf(spec);
  const file = new Uint8Array(header.length + dataBytes);
  file.set(header);
  return file;
}

function pad(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
