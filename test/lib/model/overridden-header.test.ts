import { describe, expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { withKvOverrides } from '../../../src/lib/model/overridden-header.js';

const header = (entries: readonly (readonly [string, MetadataValue])[]): GgufHeader => ({
  version: 3,
  byteOrder: 'little',
  metadata: new Map(entries),
  tensors: [],
  files: [],
});

const HEADER = header([
  ['llama.context_length', 8192],
  ['llama.attention.head_count_kv', [8, 4]],
  ['general.architecture', 'llama'],
]);

describe('what --override-kv says', () => {
  test('is read in place of the header’s value, or where it has none', () => {
    const { metadata } = withKvOverrides(HEADER, [
      { key: 'llama.context_length', value: 1_048_576 },
      { key: 'llama.rope.dimension_count', value: 64 },
    ]);
    expect(metadata.get('llama.context_length')).toBe(1_048_576);
    expect(metadata.get('llama.rope.dimension_count')).toBe(64);
    expect(HEADER.metadata.get('llama.context_length')).toBe(8192);
  });

  test('counts once for a key, the first time', () => {
    const overrides = [4096, 2048].map((value) => ({ key: 'llama.context_length', value }));
    expect(withKvOverrides(HEADER, overrides).metadata.get('llama.context_length')).toBe(4096);
  });

  test('is passed over where llama.cpp passes it over: for arrays, and for another type', () => {
    const overrides = [
      { key: 'llama.attention.head_count_kv', value: 1 },
      { key: 'llama.context_length', value: 'long' },
    ];
    expect(withKvOverrides(HEADER, overrides).metadata).toEqual(HEADER.metadata);
  });
});
