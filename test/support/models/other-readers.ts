import { gguf } from '@huggingface/gguf';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';

/** A header in a form in which those of different readers can be compared. */
export interface ComparableHeader {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly (readonly [name: string, dims: string])[];
}

/** What this project keeps of the values that another reader read: of skipped ones, only how long they are. */
export function comparable(header: GgufHeader): ComparableHeader {
  return {
    metadata: Object.fromEntries(header.metadata),
    tensors: header.tensors.map(({ name, dims }) => [name, dims.join()]),
  };
}

/** What @huggingface/gguf reads, with the values shortened that `ours` skipped. */
export async function readWithHuggingFace(path: string, ours: GgufHeader): Promise<ComparableHeader> {
  const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
  const counts = new Set(['version', 'tensor_count', 'kv_count']);
  const entries = Object.entries(metadata).filter(([key]) => !counts.has(key));
  return {
    metadata: Object.fromEntries(entries.map(([key, value]) => [key, likeOurs(value, ours.metadata.get(key))])),
    tensors: tensorInfos.map(({ name, shape }) => [name, shape.join()]),
  };
}

/** A foreign value as this project would keep it: numbers for big integers, a length where it keeps only that. */
function likeOurs(value: unknown, ours: unknown): unknown {
  const skipped = typeof ours === 'object' && ours !== null && 'skipped' in ours;
  if (skipped && typeof value === 'string') return { skipped: true, length: Buffer.byteLength(value) };
  if (skipped && Array.isArray(value)) return { skipped: true, length: value.length };
  if (Array.isArray(value)) return value.map((element) => likeOurs(element, undefined));
  return typeof value === 'bigint' ? Number(value) : value;
}
