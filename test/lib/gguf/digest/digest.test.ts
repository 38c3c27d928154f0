import { describe, expect, test } from '@jest/globals';
import { type HeaderDigest, toDigest } from '../../../../src/lib/gguf/digest/digest.js';
import { GgufHeaderParser } from '../../../../src/lib/gguf/header-parser.js';
import type { GgufHeader } from '../../../../src/lib/gguf/header.js';
import { fromDigest } from '../../../../src/lib/gguf/digest/read-digest.js';
import { buildGgufFile, type GgufSpec, type TensorEntry } from '../../../support/models/gguf-writer.js';

function headerOf(spec: GgufSpec): GgufHeader {
  const bytes = buildGgufFile(spec);
  const parser = new GgufHeaderParser('test.gguf', bytes.length);
  parser.push(bytes);
  return parser.end();
}

const block = (number: number, valueType: string): TensorEntry[] => [
  { name: `blk.${number}.attn_k.weight`, dims: [256, 2], type: 'Q4_K' },
  { name: `blk.${number}.attn_v.weight`, dims: [256, 2], type: valueType },
];
const MODEL: GgufSpec = {
  metadata: [
    ['general.architecture', 'llama', 'str'],
    ['tokenizer.ggml.tokens', ['a', 'b'], '[str]'],
  ],
  tensors: [
    { name: 'token_embd.weight', dims: [256, 4], type: 'Q6_K' },
    ...block(0, 'Q6_K'),
    ...block(1, 'Q4_K'),
    ...block(2, 'Q4_K'),
    { name: 'output_norm.weight', dims: [256], type: 'F32' },
  ],
};

describe('a digest', () => {
  test('writes blocks that are laid out alike once', () => {
    const { tensors, layouts, files, metadata } = toDigest(headerOf(MODEL));
    expect(metadata).toEqual([
      ['general.architecture', 'llama', 'str'],
      ['tokenizer.ggml.tokens', { skipped: true, length: 2 }, '[str]'],
    ]);
    expect(tensors).toEqual([
      ['token_embd.weight', 'Q6_K', 256, 4],
      ['blk.{i}.attn_k.weight', 'Q4_K', 256, 2],
      ['blk.{i}.attn_v.weight', 'Q6_K', 256, 2],
      ['blk.{i}.attn_v.weight', 'Q4_K', 256, 2],
      ['output_norm.weight', 'F32', 256],
    ]);
    expect(layouts).toEqual([[0], [1, 2], [1, 3], [4]]);
    expect(files[0]?.runs).toEqual([[0], [1, 0, 0], [2, 1, 2], [3]]);
  });

  test('gives back the header it was made of', () => {
    const header = headerOf(MODEL);
    expect(fromDigest(JSON.parse(JSON.stringify(toDigest(header))))).toEqual(header);
  });

  const digest = toDigest(headerOf(MODEL));
  const file = digest.files[0];
  const damaged: readonly (readonly [string, unknown])[] = [
    ['no object', 'text'],
    ['null', null],
    ['another format', { ...digest, format: 2 }],
    ['an unknown version', { ...digest, version: 4 }],
    ['an unknown byte order', { ...digest, byteOrder: 'middle' }],
    ['metadata that is no list', { ...digest, metadata: {} }],
    [
      'a key that occurs twice',
      {
        ...digest,
        metadata: [
          ['k', 1],
          ['k', 1],
        ],
      },
    ],
    ['an object as a value', { ...digest, metadata: [['k', { a: 1 }]] }],
    ['an array in an array', { ...digest, metadata: [['k', [[1]]]] }],
    ['a skipped value of negative length', { ...digest, metadata: [['k', { skipped: true, length: -1 }]] }],
    ['an unknown tensor type', { ...digest, tensors: [['a', 'Q99', 1]] }],
    ['a dimension of 0', { ...digest, tensors: [['a', 'F32', 0]] }],
    ['a broken row', { ...digest, tensors: [['a', 'Q4_K', 100]] }],
    ['a layout of missing tensors', { ...digest, layouts: [[17]] }],
    ['a run of a missing layout', { ...digest, files: [{ ...file, runs: [[99]] }] }],
    ['a run backwards', { ...digest, files: [{ ...file, runs: [[1, 2, 1]] }] }],
    ['a run of billions of blocks', { ...digest, files: [{ ...file, runs: [[1, 0, 4e9]] }] }],
    ['the same tensors twice', { ...digest, files: [{ ...file, runs: [[0], [0]] }] }],
    ['no files', { ...digest, files: [] }],
    ['a start that is not aligned', { ...digest, files: [{ ...file, dataOffsetBytes: 7 }] }],
    ['an alignment that is no power of 2', { ...digest, files: [{ ...file, alignmentBytes: 48 }] }],
  ];

  test.each(damaged)('with %s is refused', (_, json) => {
    let thrown: unknown;
    try {
      fromDigest(json);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'GGUF_DIGEST_INVALID', exitCode: 3 });
  });

  test('of known keys with other types is refused', () => {
    const wrong: HeaderDigest = { ...digest, metadata: [['general.architecture', 7]] };
    expect(() => fromDigest(wrong)).toThrow('general.architecture is not a string');
  });
});
