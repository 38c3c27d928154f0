import type { ByteWindow } from './byte-window.js';

/** A value of fixed size, by its number in the file: `enum gguf_type` in `ggml/include/gguf.h` of llama.cpp v0.5.0. */
export interface FixedValueType {
  readonly bytes: number;
  readonly read: (window: ByteWindow) => number | boolean;
}

export const STRING_TYPE = 8;
export const ARRAY_TYPE = 9;

/** As llama.cpp's messages call them (`gguf_type_name`). */
export const VALUE_TYPE_NAMES: readonly string[] = [
  ...['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'str', 'arr', 'u64', 'i64', 'f64'],
];

export const FIXED_VALUE_TYPES: ReadonlyMap<number, FixedValueType> = new Map([
  [0, { bytes: 1, read: (window) => window.u8() }],
  [1, { bytes: 1, read: (window) => window.i8() }],
  [2, { bytes: 2, read: (window) => window.u16() }],
  [3, { bytes: 2, read: (window) => window.i16() }],
  [4, { bytes: 4, read: (window) => window.u32() }],
  [5, { bytes: 4, read: (window) => window.i32() }],
  [6, { bytes: 4, read: (window) => window.f32() }],
  [7, { bytes: 1, read: (window) => window.u8() !== 0 }],
  [10, { bytes: 8, read: (window) => window.u64() }],
  [11, { bytes: 8, read: (window) => window.i64() }],
  [12, { bytes: 8, read: (window) => window.f64() }],
]);
