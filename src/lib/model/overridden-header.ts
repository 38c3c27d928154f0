import type { GgufHeader } from '../gguf/header.js';
import type { KvOverride } from '../runtime/options/kv-overrides.js';

/**
 * A header as llama.cpp reads it with overrides: they hold for single values only, whose type they must have
 * (`llama_model_loader::get_key`, `GGUFMeta::GKV::try_override` in `src/llama-model-loader.cpp`, v0.5.0).
 */
export function withKvOverrides(header: GgufHeader, overrides: readonly KvOverride[]): GgufHeader {
  if (overrides.length === 0) return header;
  const metadata = new Map(header.metadata);
  const types = new Map(header.types);
  // One setting more does not make a vocabulary of none.
  const isProfile = !metadata.has('tokenizer.ggml.model');
  // The first entry for a key is the one that is found.
  for (const { key, value } of [...overrides].reverse()) {
    const own = header.metadata.get(key);
    if (own === undefined && isProfile && key.startsWith('tokenizer.')) continue;
    if (own !== undefined && typeof own !== typeof value) continue;
    metadata.set(key, value);
    // The file's own is not looked at any more.
    types.delete(key);
  }
  return { ...header, metadata, ...(header.types && { types }) };
}
