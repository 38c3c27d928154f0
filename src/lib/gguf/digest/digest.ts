import { splitBlockNumber } from '../block-numbers.js';
import type { GgufHeader, GgufTensor } from '../header.js';
import { type JsonValue, toJsonValue } from './json-values.js';

export const DIGEST_FORMAT = 1;

/** The pattern of a name (`blk.{i}.attn_k.weight`), ggml's name of the type, and the dimensions, row length first. */
export type DigestTensor = readonly [pattern: string, type: string, ...dims: number[]];

/**
 * A run of tensors that belong to one block, or to none: the index of its layout, then the first and the last block of
 * consecutive blocks laid out alike. `[2]` is outside the blocks, `[3, 0, 4]` are blocks 0 to 4.
 */
export type DigestRun = readonly [layout: number] | readonly [layout: number, firstBlock: number, lastBlock: number];

export interface DigestFile {
  readonly bytes: number | null;
  readonly dataOffsetBytes: number;
  readonly alignmentBytes?: number;
  readonly runs: readonly DigestRun[];
}

/**
 * A header as JSON, without anything that can be worked out: tensors of blocks that are laid out alike are written once,
 * and offsets follow from the order. About 3 KB for a model of 64 layers.
 */
export interface HeaderDigest {
  readonly format: typeof DIGEST_FORMAT;
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  /** With what a value is written as, where the file itself was read. */
  readonly metadata: readonly (readonly [key: string, value: JsonValue, type?: string])[];
  readonly tensors: readonly DigestTensor[];
  /** Each the tensors of one block, in file order, as indexes into `tensors`. */
  readonly layouts: readonly (readonly number[])[];
  readonly files: readonly DigestFile[];
}

/** Numbers equal lists in the order in which they come up first. */
class Numbering<T> {
  readonly items: T[] = [];
  readonly #numbers = new Map<string, number>();

  of(item: T): number {
    const key = JSON.stringify(item);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/** The JSON form of a header that the parser or `joinShards` made; `fromDigest` gives back an equal header. */
export function toDigest(header: GgufHeader): HeaderDigest {
  const tensors = new Numbering<DigestTensor>();
  const layouts = new Numbering<readonly number[]>();
  const files = header.files.map((file, index) => ({
    bytes: file.bytes ?? null,
    dataOffsetBytes: file.dataOffsetBytes,
    ...(file.alignmentBytes === undefined ? {} : { alignmentBytes: file.alignmentBytes }),
    runs: runsOf(
      header.tensors.filter((tensor) => tensor.file === index),
      tensors,
      layouts,
    ),
  }));
  return {
    format: DIGEST_FORMAT,
    version: header.version,
    byteOrder: header.byteOrder,
    metadata: [...header.metadata].map(([key, value]) => {
      const type = header.types?.get(key);
      return type === undefined ? [key, toJsonValue(value)] : [key, toJsonValue(value), type];
    }),
    tensors: tensors.items,
    layouts: layouts.items,
    files,
  };
}

function runsOf(
  fileTensors: readonly GgufTensor[],
  tensors: Numbering<DigestTensor>,
  layouts: Numbering<readonly number[]>,
): DigestRun[] {
  const runs: DigestRun[] = [];
  for (const group of groupByBlock(fileTensors)) {
    const layout = layouts.of(
      group.members.map(({ pattern, tensor }) => tensors.of([pattern, tensor.type.name, ...tensor.dims])),
    );
    const { block } = group;
    const [lastLayout, firstBlock, lastBlock] = runs.at(-1) ?? [];
    if (block === undefined) runs.push([layout]);
    else if (firstBlock === undefined || lastLayout !== layout || lastBlock !== block - 1)
      runs.push([layout, block, block]);
    else runs[runs.length - 1] = [layout, firstBlock, block];
  }
  return runs;
}

interface BlockGroup {
  readonly block: number | undefined;
  readonly members: { readonly pattern: string; readonly tensor: GgufTensor }[];
}

function groupByBlock(fileTensors: readonly GgufTensor[]): BlockGroup[] {
  const groups: BlockGroup[] = [];
  for (const tensor of fileTensors) {
    const { pattern, block } = splitBlockNumber(tensor.name) ?? { pattern: tensor.name, block: undefined };
    const last = groups.at(-1);
    if (last !== undefined && last.block === block) last.members.push({ pattern, tensor });
    else groups.push({ block, members: [{ pattern, tensor }] });
  }
  return groups;
}
