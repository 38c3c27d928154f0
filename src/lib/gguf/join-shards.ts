import { printable } from '../printable.js';
import { GgufError } from './gguf-error.js';
import type { GgufHeader, MetadataValue } from './header.js';
import { MAX_TENSORS } from './limits.js';

/** How many files the model consists of, by the file's own word (`split.count`); 1 for a model that is not split. */
export function splitCount(header: GgufHeader): number {
  return splitNumber(header, 'split.count') ?? 1;
}

/**
 * The parts of a split model as one header, with the first part's metadata; `parts` in order, all of them. Mirrors the
 * checks of `llama_model_loader` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0).
 *
 * @param name what messages call the model
 */
export function joinShards(parts: readonly GgufHeader[], name: string): GgufHeader {
  const [first] = parts;
  if (first === undefined) throw invalid(name, 'it has no parts');
  parts.forEach((part, index) => checkPlace(part, index, parts.length, name));
  const tensors = parts.flatMap((part, file) => part.tensors.map((tensor) => ({ ...tensor, file })));
  if (tensors.length > MAX_TENSORS) throw invalid(name, `its parts have ${tensors.length} tensors together`);
  const expected = splitNumber(first, 'split.tensors.count');
  if (expected !== undefined && expected !== tensors.length) {
    throw invalid(name, `its parts have ${tensors.length} tensors, but part 1 says there are ${expected}`);
  }
  const names = new Set<string>();
  for (const tensor of tensors) {
    if (names.has(tensor.name)) throw invalid(name, `the tensor ${printable(tensor.name)} is in more than one part`);
    names.add(tensor.name);
  }
  return { ...first, tensors, files: parts.flatMap((part) => part.files) };
}

function checkPlace(part: GgufHeader, index: number, count: number, name: string): void {
  const [foundCount, foundNumber] = [splitNumber(part, 'split.count'), splitNumber(part, 'split.no')];
  if (foundCount === undefined || foundNumber === undefined) {
    throw invalid(name, `part ${index + 1} is named as a part of ${count}, but is not a part by its own metadata`);
  }
  if (foundCount !== count) {
    throw invalid(name, `part ${index + 1} belongs to a split of ${foundCount} files, not of ${count}`);
  }
  if (foundNumber !== index) {
    throw invalid(name, `the file named part ${index + 1} is part ${foundNumber + 1} by its own metadata`);
  }
}

function splitNumber(header: GgufHeader, key: string): number | undefined {
  const value: MetadataValue | undefined = header.metadata.get(key);
  return typeof value === 'number' ? value : undefined;
}

function invalid(name: string, problem: string): GgufError {
  return new GgufError(
    'GGUF_SHARDS_INVALID',
    `${printable(name)}: this split model cannot be used: ${problem}; fetch all parts of one version again`,
  );
}
