import { describe, expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';
import { describeShape } from '../../../src/lib/model/describe-shape.js';

const header = (metadata: Readonly<Record<string, MetadataValue>>): GgufHeader => ({
  version: 3,
  byteOrder: 'little',
  metadata: new Map(Object.entries(metadata)),
  tensors: [],
  files: [{ bytes: 64, dataOffsetBytes: 64 }],
});

describe('describeShape', () => {
  test.each([
    ['a projector', { 'general.architecture': 'clip', 'general.type': 'mmproj' }, 'projector'],
    ['a projector that names no type', { 'general.architecture': 'clip' }, 'projector'],
    [
      "a LoRA adapter, which has its base model's architecture",
      { 'general.architecture': 'llama', 'general.type': 'adapter' },
      'adapter',
    ],
    ['a control vector', { 'general.architecture': 'controlvector', 'controlvector.model_hint': 'llama' }, 'adapter'],
  ])('recognises %s by its header', (_, metadata, kind) => {
    expect(describeShape(header(metadata)).kind).toBe(kind);
  });

  test('recognises a model', async () => {
    const bundled = readBundledHeader('gemma-3-12b', 'Q5_K_M');
    expect(bundled && describeShape(bundled.header).kind).toBe('model');
  });

  test('refuses a file that is none of these', () => {
    expect(() => describeShape(header({ 'general.architecture': 'llama' }))).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_A_LANGUAGE_MODEL' }),
    );
  });
});
