import { MAX_LAYERS } from '../../gguf/limits.js';
import type { MetadataValue } from '../../gguf/header.js';

/** A key as a file has it. */
export interface FoundKey {
  readonly key: string;
  readonly value: MetadataValue;
  /** What the value is written as (`u32`, `[f32]`), where the file itself was read. */
  readonly type: string | undefined;
  /** Whether llama.cpp does not load without it. */
  readonly isRequired: boolean;
  /** The model's layers, where the header tells: all, and those that run. */
  readonly layers: { readonly all: number; readonly run: number } | undefined;
}

/** How llama.cpp reads a value: why it gives up on one, in its words; undefined where it takes it. */
export type KeyType = (found: FoundKey) => string | undefined;

/** The longest array for a place of fixed size. */
const MAX_ELEMENTS = MAX_LAYERS;
const MAX_U32 = 2 ** 32 - 1;
const COUNTS = ['u32', 'i32', 'bool'];

/** What a value of a type can be, for where only the value is known. */
const VALUES: Readonly<Record<string, (value: unknown) => boolean>> = {
  i32: (value) => isWhole(value, -(2 ** 31), MAX_U32),
  u32: (value) => isWhole(value, 0, MAX_U32),
  u64: (value) => isWhole(value, 0, Infinity),
  f32: (value) => typeof value === 'number',
  bool: (value) => typeof value === 'boolean',
  str: (value) => typeof value === 'string',
};
/** Elements of arrays that are read at all. */
const READABLE = new Set(['u32', 'i32', 'u64', 'f32', 'str']);

/** By what the tables call them: the accessors of `llama_model_loader` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0). */
export const KEY_TYPES: Readonly<Record<string, KeyType>> = {
  u32: scalar('u32'),
  i32: scalar('i32'),
  f32: scalar('f32'),
  bool: scalar('bool'),
  str: scalar('str'),
  // One value, or one for each layer; for each layer that runs; or four.
  u32s: each('u32', COUNTS, ({ layers }) => layers?.all),
  'u32s-run': each('u32', COUNTS, ({ layers }) => layers?.run),
  f32s: each('f32', ['f32'], ({ layers }) => layers?.all),
  'f32s-run': each('f32', ['f32'], ({ layers }) => layers?.run),
  i32x4: each('i32', COUNTS, () => 4),
  '[u32]': list(COUNTS, MAX_ELEMENTS),
  '[u64]': list(['u64'], MAX_ELEMENTS),
  '[f32]': list(['f32'], MAX_ELEMENTS),
  // To a place that grows.
  '[i32]': list(['u32', 'i32'], Infinity),
  '[str]': list(['str'], Infinity),
  // `load_swa_pattern` (`src/llama-model.cpp`): a list, or a period.
  'u32|[u32]': (found) => (isArray(found) ? list(COUNTS, MAX_ELEMENTS) : scalar('u32'))(found),
};

/** `get_key`: only ever the one type. */
function scalar(wanted: string): KeyType {
  return ({ key, value, type }) => {
    if (type === wanted) return undefined;
    // A string that is too long to be kept is known by its length.
    const isLongText = wanted === 'str' && typeof value === 'object' && 'skipped' in value;
    if (type === undefined && (isLongText || VALUES[wanted]?.(value))) return undefined;
    const found = type ?? (typeof value === 'object' ? '[]' : typeof value);
    return `key ${key} has wrong type ${found.startsWith('[') ? 'arr' : found} but expected type ${wanted}`;
  };
}

/** `get_arr`: what is no array is as good as not there. */
function list(taken: readonly string[], most: number): KeyType {
  return (found) => {
    const { key, isRequired } = found;
    if (!isArray(found)) return isRequired ? `array key not found in model: ${key}` : undefined;
    const length = lengthOf(found);
    return (
      elements(found, taken) ??
      (length > most ? `array length ${length} for key ${key} exceeds max ${most}` : undefined)
    );
  };
}

/** `get_key_or_arr`: one value, or as many as are expected. */
function each(one: string, taken: readonly string[], expected: (found: FoundKey) => number | undefined): KeyType {
  return (found) => {
    if (!isArray(found)) return scalar(one)(found);
    const [count, length] = [expected(found), lengthOf(found)];
    if (count !== undefined && length !== count)
      return `key ${found.key} has wrong array length; expected ${count}, got ${length}`;
    return elements(found, taken);
  };
}

function elements({ key, value, type }: FoundKey, taken: readonly string[]): string | undefined {
  if (type === undefined) {
    const areTaken = !Array.isArray(value) || value.every((item) => taken.some((one) => VALUES[one]?.(item)));
    return areTaken ? undefined : `${key} has wrong array element type`;
  }
  const of = type.slice(1, -1);
  if (taken.includes(of)) return undefined;
  return READABLE.has(of)
    ? `${key} has wrong array element type ${of}`
    : `${key} is not a string/float32/uint32/int32/uint64 array`;
}

function isArray({ value, type }: FoundKey): boolean {
  return type === undefined ? typeof value === 'object' : type.startsWith('[');
}

function lengthOf({ value }: FoundKey): number {
  return typeof value === 'object' ? value.length : 0;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
