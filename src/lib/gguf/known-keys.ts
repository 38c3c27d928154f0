import { printable } from '../printable.js';
import { GgufError } from './gguf-error.js';
import type { MetadataValue } from './header.js';

/** A key without an architecture's name in front that readers of any file rely on. */
interface KnownKey {
  /** The only type that llama.cpp takes, as `types` of a header call it. */
  readonly type: string;
  readonly matches: (value: MetadataValue) => boolean;
  readonly wanted: string;
  /** Whether it is read of a part of a split file only. */
  readonly ofParts?: true;
}

const TEXT = { type: 'str', matches: (value: MetadataValue) => typeof value === 'string', wanted: 'a string' };
const COUNT = { matches: isCount, wanted: 'a whole number from 0' };

/**
 * `gguf_init_from_reader` (`ggml/src/gguf.cpp`), `llama_model_loader` (`src/llama-model-loader.cpp`) and `load_hparams`
 * (`src/llama-model.cpp`), llama.cpp v0.5.0. `split.*` is `LLM_KV_SPLIT_*`: 16 bits, and a signed count.
 */
const KNOWN_KEYS: ReadonlyMap<string, KnownKey> = new Map<string, KnownKey>([
  ['general.architecture', TEXT],
  ['general.name', TEXT],
  ['general.alignment', { ...COUNT, type: 'u32' }],
  ['general.file_type', { ...COUNT, type: 'u32' }],
  ['split.count', { ...COUNT, type: 'u16' }],
  ['split.no', { ...COUNT, type: 'u16', ofParts: true }],
  ['split.tensors.count', { ...COUNT, type: 'i32', ofParts: true }],
]);

/**
 * Throws `GGUF_METADATA_INVALID` when a key that every reader relies on has a value of another type.
 * @param types of the values, where the file itself was read
 */
export function checkKnownKeys(
  metadata: ReadonlyMap<string, MetadataValue>,
  name: string,
  types?: ReadonlyMap<string, string>,
): void {
  const isPart = Number(metadata.get('split.count') ?? 0) > 1;
  for (const [key, { type, matches, wanted, ofParts }] of KNOWN_KEYS) {
    const value = metadata.get(key);
    if (value === undefined || (ofParts && !isPart)) continue;
    const found = types?.get(key);
    // Of a name that is too long to be kept the type is enough.
    if (!matches(value) && !(found === type && type === 'str'))
      throw invalid(`${name}: the key ${printable(key)} is not ${wanted}`);
    if (found === undefined || found === type) continue;
    throw invalid(
      `${name}: llama.cpp does not load this file: key ${printable(key)} has wrong type ${found.startsWith('[') ? 'arr' : found} but expected type ${type}`,
    );
  }
}

function isCount(value: MetadataValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function invalid(problem: string): GgufError {
  return new GgufError('GGUF_METADATA_INVALID', problem);
}
