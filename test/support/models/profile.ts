import { readFileSync } from 'node:fs';
import { ggmlTypeByName, rowBytes } from '../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor, MetadataValue } from '../../../src/lib/gguf/header.js';
import { buildGguf, type Entry, type GgufSpec, type TensorEntry } from './gguf-writer.js';
import { writeSparseFile } from '../sparse-file.js';

/** A header as data: `test/oracle/profiles/*.json`. Tensors of several blocks are written once, with `{i}` for the number. */
export interface Profile {
  readonly id: string;
  readonly quantization: string;
  readonly architecture: string;
  readonly metadata: readonly Entry[];
  readonly tensors: readonly { name: string; dims: readonly number[]; type: string; blocks?: string }[];
}

const NO_VOCABULARY: Entry = ['tokenizer.ggml.model', 'no_vocab', 'str'];
const ALIGNMENT = 32;

export function readProfile(path: string): Profile {
  return JSON.parse(readFileSync(path, 'utf8')) as Profile;
}

/** Tensors outside the blocks by name, then block by block, by name: the order that llama.cpp's converter writes. */
function profileTensors({ tensors }: Profile): TensorEntry[] {
  return tensors
    .flatMap(({ name, dims, type, blocks }) =>
      blocks === undefined
        ? [{ block: -1, name, dims, type }]
        : blockNumbers(blocks).map((block) => ({ block, name: name.replace('{i}', String(block)), dims, type })),
    )
    .sort((a, b) => a.block - b.block || (a.name < b.name ? -1 : 1));
}

export function profileSpec(profile: Profile): GgufSpec {
  return { metadata: [...profile.metadata, NO_VOCABULARY], tensors: profileTensors(profile) };
}

/** Writes a GGUF file whose header is complete and whose tensor data is a hole; llama.cpp opens it without data. */
export async function writeProfile(profile: Profile, path: string): Promise<void> {
  const { header, dataBytes } = buildGguf(profileSpec(profile));
  await writeSparseFile(path, header, header.length + dataBytes);
}

/** The header that reading such a file gives, without writing it. */
export function profileHeader(profile: Profile): GgufHeader {
  const dataOffsetBytes = buildGguf(profileSpec(profile)).header.length;
  let offsetBytes = dataOffsetBytes;
  const tensors = profileTensors(profile).map(({ name, dims, type }): GgufTensor => {
    const ggmlType = ggmlTypeByName(String(type));
    if (!ggmlType) throw new Error(`${profile.id}: no ggml type ${type}`);
    const sizes = dims.map(Number);
    const bytes = rowBytes(
      ggmlType,
      sizes.reduce((a, b) => a * b, 1),
    );
    const tensor = { name, dims: sizes, type: ggmlType, file: 0, offsetBytes, bytes };
    offsetBytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return tensor;
  });
  return {
    version: 3,
    byteOrder: 'little',
    metadata: new Map([...profile.metadata, NO_VOCABULARY].map(([key, value]) => [key, value as MetadataValue])),
    tensors,
    files: [{ bytes: offsetBytes, dataOffsetBytes }],
  };
}

/** "0-3,7" gives 0, 1, 2, 3, 7. */
export function blockNumbers(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
