import { describe, expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';

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

async function headerNaming(architecture: string): Promise<GgufHeader> {
  const bundled = await readBundledHeader('gemma-3-12b', 'Q5_K_M');
  if (!bundled) throw new Error('gemma-3-12b is not bundled');
  const metadata = new Map<string, MetadataValue>();
  for (const [key, value] of bundled.header.metadata) metadata.set(key.replace(/^gemma3\./, `${architecture}.`), value);
  return { ...bundled.header, metadata: metadata.set('general.architecture', architecture) };
}

test.each([
  ['gptoss', "unknown model architecture: 'gptoss'"],
  ['constructor', "unknown model architecture: 'constructor'"],
  ['gptj', "unsupported model architecture: 'gptj'"],
  ['\u001b[2J', "unknown model architecture: '\\u{1b}[2J'"],
])('a file of architecture %j is refused in the words of llama.cpp', async (architecture, words) => {
  const header = await headerNaming(architecture);
  expect(() => describeModel(header)).toThrow(
    expect.objectContaining({ code: 'MODEL_ARCHITECTURE_UNKNOWN', message: expect.stringContaining(words) as unknown }),
  );
});

test.each(['llama', 'gptneox', 'glm5-next'])('%s is an architecture that llama.cpp knows', async (architecture) => {
  expect(describeModel(await headerNaming(architecture)).architecture).toBe(architecture);
});
