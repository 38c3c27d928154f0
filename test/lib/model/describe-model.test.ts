import { describe, expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';

const header = (metadata: Readonly<Record<string, MetadataValue>>): GgufHeader => ({
  version: 3,
  byteOrder: 'little',
  metadata: new Map(Object.entries(metadata)),
  tensors: [],
  files: [{ bytes: 64, dataOffsetBytes: 64 }],
});

const llama = { 'llama.block_count': 1, 'llama.embedding_length': 64, 'llama.context_length': 512 };

describe('describeModel', () => {
  test.each([
    ['a model', { 'general.architecture': 'llama', ...llama }, 'model'],
    ['a projector', { 'general.architecture': 'clip', 'general.type': 'mmproj' }, 'projector'],
    ['a projector that names no type', { 'general.architecture': 'clip' }, 'projector'],
    [
      "a LoRA adapter, which has its base model's architecture",
      { 'general.architecture': 'llama', 'general.type': 'adapter' },
      'adapter',
    ],
    ['a control vector', { 'general.architecture': 'controlvector', 'controlvector.model_hint': 'llama' }, 'adapter'],
  ])('recognises %s by its header', (_, metadata, kind) => {
    expect(describeModel(header(metadata)).kind).toBe(kind);
  });

  test('refuses a file that is none of these', () => {
    expect(() => describeModel(header({ 'general.architecture': 'llama' }))).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_A_LANGUAGE_MODEL' }),
    );
  });
});
