import { printable } from '../../printable.js';
import { withBlockNumber } from '../block-numbers.js';
import { DIGEST_FORMAT, type DigestRun, type DigestTensor } from './digest.js';
import { ggmlTypeByName, type GgmlType } from '../ggml-types.js';
import { GgufError } from '../gguf-error.js';
import {
  DEFAULT_ALIGNMENT_BYTES,
  type GgufFile,
  type GgufHeader,
  type GgufTensor,
  type MetadataValue,
} from '../header.js';
import { fromJsonValue } from './json-values.js';
import { checkKnownKeys } from '../known-keys.js';
import { MAX_ALIGNMENT_BYTES, MAX_KEYS, MAX_SHARDS, MAX_TENSORS } from '../limits.js';
import { TensorLayout, tensorBytes } from '../tensor-layout.js';

type Json = Readonly<Record<string, unknown>>;

/** A tensor but for its place; its name may be a pattern. */
interface TensorRow {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: GgmlType;
  readonly bytes: number;
}

/**
 * The header that `toDigest` wrote. Takes what `JSON.parse` gave, from a file that anyone may have changed; throws
 * `GGUF_DIGEST_INVALID` when it does not describe a header that the parser could have read.
 */
export function fromDigest(json: unknown): GgufHeader {
  const digest = object(json, 'the digest');
  require(digest.format === DIGEST_FORMAT, `the digest has a format other than ${DIGEST_FORMAT}`);
  const { version, byteOrder } = digest;
  require(version === 2 || version === 3, 'version is not 2 or 3');
  require(byteOrder === 'little' || byteOrder === 'big', 'byteOrder is not little or big');
  const { metadata, types } = readMetadata(digest.metadata);
  const rows = list(digest.tensors, 'tensors', MAX_TENSORS).map(readRow);
  const layouts = list(digest.layouts, 'layouts', MAX_TENSORS).map((layout) =>
    list(layout, 'a layout', MAX_TENSORS).map((index) => element(rows, index, 'tensor')),
  );
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  const files = list(digest.files, 'files', MAX_SHARDS).map((value, index) => {
    const { file, layout, runs } = readFile(object(value, 'a file'));
    const add = (name: string, { dims, type, bytes }: TensorRow): void => {
      require(!names.has(name) && tensors.length < MAX_TENSORS, 'a tensor occurs twice, or there are too many');
      names.add(name);
      tensors.push({ name, dims, type, file: index, offsetBytes: layout.next(bytes), bytes });
    };
    for (const run of runs) addRun(run, layouts, add);
    return file;
  });
  require(files.length > 0, 'there are no files');
  return { version, byteOrder, metadata, ...(types.size > 0 && { types }), tensors, files };
}

function readMetadata(json: unknown): Required<Pick<GgufHeader, 'metadata' | 'types'>> {
  const metadata = new Map<string, MetadataValue>();
  const types = new Map<string, string>();
  for (const entry of list(json, 'metadata', MAX_KEYS)) {
    const [key, keyValue, type] = list(entry, 'a metadata entry', 3);
    require(typeof key === 'string' && !metadata.has(key), 'a metadata key is not a string, or occurs twice');
    const value = fromJsonValue(keyValue);
    require(value !== undefined, `the value of ${printable(key)} is neither a scalar nor an array of scalars`);
    require(type === undefined || typeof type === 'string', `the type of ${printable(key)} is not a string`);
    metadata.set(key, value);
    if (type !== undefined) types.set(key, type);
  }
  checkKnownKeys(metadata, 'header digest', types);
  return { metadata, types };
}

function readRow(value: unknown): TensorRow {
  const [pattern, typeName, ...dims] = list(value, 'a tensor', 6) as Partial<DigestTensor>;
  require(typeof pattern === 'string' && typeof typeName === 'string', 'a tensor has no name or no type');
  const type = ggmlTypeByName(typeName);
  require(type !== undefined, `the tensor type ${printable(typeName)} is unknown`);
  require(dims.length >= 1 && dims.every(isCount), `the dimensions of ${printable(pattern)} are not whole numbers`);
  const bytes = tensorBytes(dims as number[], type);
  require(bytes !== undefined, `${printable(pattern)} cannot have its shape`);
  return { name: pattern, dims: dims as number[], type, bytes };
}

function readFile(json: Json): { file: GgufFile; layout: TensorLayout; runs: readonly DigestRun[] } {
  const { bytes, dataOffsetBytes, alignmentBytes } = json;
  require(bytes === null || isCount(bytes), 'the size of a file is not a whole number');
  require(isCount(dataOffsetBytes), 'the start of tensor data is not a whole number');
  const alignment = alignmentBytes ?? DEFAULT_ALIGNMENT_BYTES;
  const validAlignment =
    isCount(alignment) && alignment <= MAX_ALIGNMENT_BYTES && Number.isInteger(Math.log2(alignment));
  require(validAlignment && dataOffsetBytes % alignment === 0, 'the alignment of a file is not a power of 2');
  const usual = { bytes: bytes ?? undefined, dataOffsetBytes };
  const file = alignment === DEFAULT_ALIGNMENT_BYTES ? usual : { ...usual, alignmentBytes: alignment };
  const runs = list(json.runs, 'runs', MAX_TENSORS).map(readRun);
  return { file, layout: new TensorLayout(dataOffsetBytes, alignment), runs };
}

function readRun(value: unknown): DigestRun {
  const run = list(value, 'a run', 3);
  const [layout, first, last] = run;
  require((run.length === 1 || run.length === 3) && run.every(isCount), 'a run is not one or three whole numbers');
  if (run.length === 1) return [layout as number];
  const [firstBlock, lastBlock] = [first as number, last as number];
  require(firstBlock <= lastBlock && lastBlock < MAX_TENSORS, 'a run of blocks ends before it starts');
  return [layout as number, firstBlock, lastBlock];
}

function addRun(
  [index, first, last]: DigestRun,
  layouts: readonly (readonly TensorRow[])[],
  add: (name: string, row: TensorRow) => void,
): void {
  const layout = element(layouts, index, 'layout');
  if (first === undefined || last === undefined) return layout.forEach((row) => add(row.name, row));
  for (let block = first; block <= last; block++) {
    for (const row of layout) add(withBlockNumber(row.name, block), row);
  }
}

function object(value: unknown, what: string): Json {
  require(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is not an object`);
  return value as Json;
}

function list(value: unknown, what: string, most: number): readonly unknown[] {
  require(Array.isArray(value) && value.length <= most, `${what} is not a list of at most ${most} elements`);
  return value;
}

function element<T>(items: readonly T[], index: unknown, what: string): T {
  const item = isCount(index) ? items[index] : undefined;
  require(item !== undefined, `a ${what} is referred to that is not there`);
  return item;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function require(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new GgufError('GGUF_DIGEST_INVALID', `this header digest cannot be used: ${problem}`);
}
