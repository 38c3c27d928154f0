import { CheckIncompleteError } from '../errors.js';
import { splitBlockNumber } from '../gguf/block-numbers.js';
import type { GgufFile, GgufHeader, GgufTensor, MetadataValue } from '../gguf/header.js';
import { sameNumbers } from '../gguf/same-numbers.js';
import { parameterCountOf } from './describe-file.js';
import { describeHeader } from './describe-model.js';
import { inspectLayers, type LayerFacts } from './inspect-layers.js';
import { Keys } from './keys.js';
import { publishedQuantization, quantizationOf } from './quantization/quantization.js';

const LARGEST_SHOWN = 5;

export interface TypeShare {
  /** ggml's name, upper case. */
  readonly type: string;
  readonly tensors: number;
  readonly bytes: number;
  /** Of all tensor bytes, 0 to 1. */
  readonly share: number;
}

export interface TensorFacts {
  readonly name: string;
  readonly type: string;
  /** Row length first. */
  readonly dims: readonly number[];
  readonly bytes: number;
  /** Number of the part, from 0. */
  readonly file: number;
}

export interface Licence {
  /** As `general.license` gives it, usually an SPDX id in lower case. */
  readonly id: string | null;
  readonly name: string | null;
  readonly link: string | null;
}

/** Tensors that every block has alike count as one. */
export interface LargeTensor {
  /** With `{i}` for the number of the block. */
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  /** Of one of them. */
  readonly bytes: number;
  readonly count: number;
}

/** What a header says, in the words of the field; names and texts are the file's own and not safe for a terminal. */
export interface HeaderFacts {
  readonly architecture: string | null;
  readonly name: string | null;
  readonly quantization: string;
  readonly parameters: number;
  readonly licence: Licence;
  readonly format: { readonly version: number; readonly byteOrder: 'little' | 'big' };
  readonly fileBytes: number | null;
  readonly files: readonly { readonly bytes: number | null; readonly headerBytes: number }[];
  readonly tensorCount: number;
  readonly tensorBytes: number;
  /** Null for what is not a language model, such as a projector. */
  readonly layers: LayerFacts | null;
  /** Largest share first. */
  readonly tensorTypes: readonly TypeShare[];
  readonly largestTensors: readonly LargeTensor[];
}

/**
 * What a header says. Headers that no language model could have are described as far as they go.
 * @param path whose name says what its publisher calls the quantization
 */
export function inspectHeader(header: GgufHeader, path?: string): HeaderFacts {
  const { metadata, tensors, files } = header;
  const architecture = text(metadata.get('general.architecture'));
  return {
    architecture,
    name: text(metadata.get('general.name')),
    quantization: publishedQuantization(quantizationOf(new Keys(metadata, architecture ?? ''), tensors), path),
    parameters: parameterCountOf(header),
    licence: {
      id: text(metadata.get('general.license')),
      name: text(metadata.get('general.license.name')),
      link: text(metadata.get('general.license.link')),
    },
    format: { version: header.version, byteOrder: header.byteOrder },
    fileBytes: totalOf(files),
    files: files.map(({ bytes, dataOffsetBytes }) => ({ bytes: bytes ?? null, headerBytes: dataOffsetBytes })),
    tensorCount: tensors.length,
    tensorBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    layers: layersOf(header),
    tensorTypes: typeShares(tensors),
    largestTensors: largest(tensors),
  };
}

export function tensorFacts({ name, type, dims, bytes, file }: GgufTensor): TensorFacts {
  return { name, type: type.name, dims, bytes, file };
}

function largest(tensors: readonly GgufTensor[]): LargeTensor[] {
  let found: LargeTensor[] = [];
  for (const { name: full, type, dims, bytes } of tensors) {
    if (found.length === LARGEST_SHOWN && bytes < (found.at(-1)?.bytes ?? 0)) continue;
    const name = splitBlockNumber(full)?.pattern ?? full;
    const alike = found.findIndex((one) => one.name === name && one.type === type.name && sameNumbers(one.dims, dims));
    const known = found[alike];
    if (known !== undefined) found[alike] = { ...known, count: known.count + 1 };
    else {
      const all = [...found, { name, type: type.name, dims, bytes, count: 1 }];
      found = all.sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST_SHOWN);
    }
  }
  return found;
}

function layersOf(header: GgufHeader): LayerFacts | null {
  try {
    return inspectLayers(describeHeader(header));
  } catch (error) {
    if (error instanceof CheckIncompleteError) return null;
    throw error;
  }
}

function typeShares(tensors: readonly GgufTensor[]): TypeShare[] {
  const byType = new Map<string, { tensors: number; bytes: number }>();
  let total = 0;
  for (const { type, bytes } of tensors) {
    const known = byType.get(type.name);
    const sum = known ?? { tensors: 0, bytes: 0 };
    if (known === undefined) byType.set(type.name, sum);
    sum.tensors += 1;
    sum.bytes += bytes;
    total += bytes;
  }
  return [...byType]
    .map(([type, sum]) => ({ type, ...sum, share: sum.bytes / total }))
    .sort((a, b) => b.bytes - a.bytes);
}

function totalOf(files: readonly GgufFile[]): number | null {
  let total = 0;
  for (const { bytes } of files) {
    if (bytes === undefined) return null;
    total += bytes;
  }
  return total;
}

function text(value: MetadataValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
