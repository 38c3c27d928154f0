import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../../src/lib/errors.js';
import {
  formatModelSource,
  looksLikeSource,
  type ModelSource,
  parseModelSource,
} from '../../../src/lib/source/model-source.js';

const hub = { kind: 'hf', repository: 'Qwen/Qwen3-8B-GGUF', revision: 'main' } as const;

const SOURCES: readonly (readonly [string, ModelSource])[] = [
  ['model.gguf', { kind: 'file', path: 'model.gguf' }],
  ['/models/a b.gguf', { kind: 'file', path: '/models/a b.gguf' }],
  ['C:\\models\\a.gguf', { kind: 'file', path: 'C:\\models\\a.gguf' }],
  ['file:///models/a%20b.gguf', { kind: 'file', path: '/models/a b.gguf' }],
  ['https://example.com/m.gguf?x=1', { kind: 'http', url: 'https://example.com/m.gguf?x=1' }],
  ['hf:Qwen/Qwen3-8B-GGUF', hub],
  ['hf://Qwen/Qwen3-8B-GGUF', hub],
  ['hf:Qwen/Qwen3-8B-GGUF:Q8_0', { ...hub, quantization: 'Q8_0' }],
  ['hf:Qwen/Qwen3-8B-GGUF/dir/m.gguf', { ...hub, file: 'dir/m.gguf' }],
  ['https://huggingface.co/Qwen/Qwen3-8B-GGUF', hub],
  ['https://huggingface.co/Qwen/Qwen3-8B-GGUF/tree/dev', { ...hub, revision: 'dev' }],
  ['https://huggingface.co/Qwen/Qwen3-8B-GGUF/blob/main/m.gguf', { ...hub, file: 'm.gguf' }],
  [
    'https://hf.co/Qwen/Qwen3-8B-GGUF/resolve/dev/d/m%20x.gguf?download=true',
    { ...hub, revision: 'dev', file: 'd/m x.gguf' },
  ],
  ['https://huggingface.co/datasets/a/b', { kind: 'http', url: 'https://huggingface.co/datasets/a/b' }],
  ['pvc://claim/model.gguf', { kind: 'unsupported', scheme: 'pvc', text: 'pvc://claim/model.gguf' }],
  ['s3://bucket/model.gguf', { kind: 'unsupported', scheme: 's3', text: 's3://bucket/model.gguf' }],
];

describe('a source', () => {
  test.each(SOURCES)('%s', (text, source) => expect(parseModelSource(text)).toEqual(source));

  test.each(SOURCES)('%s is written so that it is read as the same again', (_, source) => {
    expect(parseModelSource(formatModelSource(source))).toEqual(source);
  });

  test.each([
    '',
    '  ',
    'ftp://x/m.gguf',
    'http://',
    'file://host/x',
    'hf:',
    'hf:owner',
    'hf:a/b/c.bin',
    'hf:a/b:Q4:x',
    'hf:a/b/../c.gguf',
    'hf:a/b:Q 4',
  ])('"%s" is a usage error', (text) => {
    expect(() => parseModelSource(text)).toThrow(UsageError);
  });

  test('that names something in a catalogue is told from one that can be read', () => {
    expect(['qwen-coder-32b', 'gemma'].map(looksLikeSource)).toEqual([false, false]);
    expect(['m.gguf', './m', 'hf:a/b', 'https://x/y', 'dir/m'].every(looksLikeSource)).toBe(true);
  });
});
