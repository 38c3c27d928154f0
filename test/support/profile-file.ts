import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILES } from '../oracle/cases.js';
import { buildGguf, type Entry, type TensorEntry } from './gguf-writer.js';

interface ProfileTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: string;
  /** `0-3,7`; without it the tensor is outside the blocks. */
  readonly blocks?: string;
}

/** The header of one model, as JSON. */
export interface Profile {
  readonly id: string;
  readonly quantization: string;
  readonly metadata: readonly Entry[];
  readonly tensors: readonly ProfileTensor[];
}

/** The start of a GGUF file and how long all of it is. */
export interface ProfileFile {
  readonly start: Uint8Array;
  readonly size: number;
}

export function profileNames(): string[] {
  return readdirSync(PROFILES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
}

export function readProfile(name: string): Profile {
  return JSON.parse(readFileSync(join(PROFILES, `${name}.json`), 'utf8')) as Profile;
}

/** The file that a profile describes; its tensor data is a hole. */
export function profileFile({ metadata, tensors }: Profile): ProfileFile {
  const { header, dataBytes } = buildGguf({ metadata, tensors: expand(tensors) });
  return { start: header, size: header.length + dataBytes };
}

/** In file order: those outside the blocks by name, then block by block, by name. */
function expand(tensors: readonly ProfileTensor[]): TensorEntry[] {
  return tensors
    .flatMap(({ name, dims, type, blocks }) =>
      blockNumbers(blocks).map((block) => ({ block, name: name.replace('{i}', String(block)), dims, type })),
    )
    .sort((a, b) => a.block - b.block || (a.name < b.name ? -1 : 1));
}

function blockNumbers(text: string | undefined): number[] {
  if (text === undefined) return [-1];
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
