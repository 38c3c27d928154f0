import { describe, expect, test } from '@jest/globals';
import { GgufHeaderParser } from '../../../src/lib/gguf/header-parser.js';
import {
  buildGguf,
  buildGgufFile,
  GgufWriter,
  type GgufSpec,
  type TensorEntry,
} from '../../support/models/gguf-writer.js';

function refusal(bytes: Uint8Array, fileBytes?: number): { code: string; message: string; exitCode: number } {
  const parser = new GgufHeaderParser('evil.gguf', fileBytes);
  try {
    parser.push(bytes);
    parser.end();
  } catch (error) {
    const { code, message, exitCode } = error as { code: string; message: string; exitCode: number };
    return { code, message, exitCode };
  }
  throw new Error('the header was accepted');
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value.padEnd(64));
const start = (tensorCount: number, keyCount: number): GgufWriter =>
  new GgufWriter().raw('GGUF').u32(3).u64(tensorCount).u64(keyCount);
const tensor = (entry: Partial<TensorEntry>): GgufSpec => ({
  tensors: [{ name: 'a', dims: [32], type: 'F32', ...entry }],
});
const STRING = 8;
const ARRAY = 9;
const HUGE = 2 ** 52;

/** `[what, bytes, code, a part of the message]` */
const CASES: readonly (readonly [string, Uint8Array, string, string])[] = [
  ['an empty file', new Uint8Array(0), 'GGUF_NOT_GGUF', 'it has only 0 bytes'],
  ['a web page', text('<!DOCTYPE html><html>'), 'GGUF_NOT_GGUF', 'it is a web page'],
  ['an old GGML file', text('tjgg'), 'GGUF_NOT_GGUF', 'GGML file of the time before GGUF'],
  ['a Git LFS pointer', text('version https://git-lfs'), 'GGUF_NOT_GGUF', 'Git LFS pointer'],
  ['a zip archive', text('PK\u0003\u0004'), 'GGUF_NOT_GGUF', 'zip archive'],
  ['other bytes, shown safely', text('\u001b[2J'), 'GGUF_NOT_GGUF', 'starts with "\\u{1b}[2J"'],
  ['version 1', buildGgufFile({ version: 1 }), 'GGUF_VERSION_UNSUPPORTED', 'GGUF version 1, from before August 2023'],
  ['version 0', buildGgufFile({ version: 0 }), 'GGUF_VERSION_UNSUPPORTED', 'GGUF version 0'],
  ['version 4', buildGgufFile({ version: 4 }), 'GGUF_VERSION_UNSUPPORTED', 'GGUF version 4, and only 2 and 3'],
  ['billions of tensors', buildGgufFile({ tensorCount: 4e9 }), 'GGUF_LIMIT_EXCEEDED', '4000000000 tensors'],
  ['billions of keys', buildGgufFile({ keyCount: 4e9 }), 'GGUF_LIMIT_EXCEEDED', '4000000000 metadata keys'],
  ['a negative count', buildGgufFile({ keyCount: 2n ** 64n - 1n }), 'GGUF_LIMIT_EXCEEDED', 'metadata keys'],
  [
    'a key of 2^64 - 1 bytes, a number of which only the nearest is known',
    start(0, 1)
      .u64(2n ** 64n - 1n)
      .bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'key 1 claims about 18446744073709552000 bytes',
  ],
  ['a key of 2^52 bytes', start(0, 1).u64(HUGE).bytes(), 'GGUF_LIMIT_EXCEEDED', 'key 1 claims 4503599627370496 bytes'],
  ['a key of 64 KiB', start(0, 1).u64(65536).bytes(), 'GGUF_LIMIT_EXCEEDED', 'at most 65535'],
  ['an empty key', start(0, 1).u64(0).bytes(), 'GGUF_METADATA_INVALID', 'key 1 is empty'],
  [
    'a string of 2^52 bytes',
    start(0, 1).string('k').u32(STRING).u64(HUGE).bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'the value of k claims 4503599627370496 bytes',
  ],
  [
    'an array of 2^52 numbers',
    start(0, 1).string('k').u32(ARRAY).u32(4).u64(HUGE).bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'the array k claims 4503599627370496 elements',
  ],
  [
    'arrays of more elements than a vocabulary has',
    start(0, 2)
      .string('a')
      .u32(ARRAY)
      .u32(4)
      .u64(1)
      .u32(7)
      .string('k')
      .u32(ARRAY)
      .u32(0)
      .u64(2 ** 22)
      .bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'the arrays up to k have 4194305 elements',
  ],
  [
    'an array of 2^52 strings',
    start(0, 1).string('k').u32(ARRAY).u32(STRING).u64(HUGE).bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'the array k claims',
  ],
  [
    'a word of 2^52 bytes in a vocabulary',
    start(0, 1).string('tokenizer.ggml.tokens').u32(ARRAY).u32(STRING).u64(2).string('a').u64(HUGE).bytes(),
    'GGUF_LIMIT_EXCEEDED',
    'an element of tokenizer.ggml.tokens is too long',
  ],
  [
    'an array of arrays',
    start(0, 1).string('k').u32(ARRAY).u32(ARRAY).u64(1).u32(ARRAY).bytes(),
    'GGUF_METADATA_INVALID',
    'the key k is an array of arrays',
  ],
  ['an unknown value type', start(0, 1).string('k').u32(13).bytes(), 'GGUF_METADATA_INVALID', 'unknown value type 13'],
  [
    'a key that occurs twice',
    buildGgufFile({
      metadata: [
        ['k', 1, 'u32'],
        ['k', 2, 'u32'],
      ],
    }),
    'GGUF_METADATA_INVALID',
    'the key k occurs twice',
  ],
  [
    'a key with control characters, shown safely',
    buildGgufFile({
      metadata: [
        ['\u001b]0;x\u0007', 1, 'u32'],
        ['\u001b]0;x\u0007', 2, 'u32'],
      ],
    }),
    'GGUF_METADATA_INVALID',
    'the key \\u{1b}]0;x\\u{7} occurs twice',
  ],
  [
    'an architecture that is a number',
    buildGgufFile({ metadata: [['general.architecture', 7, 'u32']] }),
    'GGUF_METADATA_INVALID',
    'general.architecture is not a string',
  ],
  [
    'a number of parts in 32 bits',
    buildGgufFile({ metadata: [['split.count', 1, 'u32']] }),
    'GGUF_METADATA_INVALID',
    'key split.count has wrong type u32 but expected type u16',
  ],
  [
    'a part whose number of tensors has no sign',
    buildGgufFile({
      metadata: [
        ['split.count', 2, 'u16'],
        ['split.no', 0, 'u16'],
        ['split.tensors.count', 0, 'u32'],
      ],
    }),
    'GGUF_METADATA_INVALID',
    'key split.tensors.count has wrong type u32 but expected type i32',
  ],
  [
    'a list of names',
    buildGgufFile({ metadata: [['general.name', ['a'], '[str]']] }),
    'GGUF_METADATA_INVALID',
    'general.name is not a string',
  ],
  [
    'an alignment of 0',
    buildGgufFile({ metadata: [['general.alignment', 0, 'u32']] }),
    'GGUF_METADATA_INVALID',
    'general.alignment is 0; it must be a power of 2',
  ],
  [
    'an alignment of 2^31',
    buildGgufFile({ metadata: [['general.alignment', 2 ** 31, 'u32']] }),
    'GGUF_METADATA_INVALID',
    'general.alignment is 2147483648',
  ],
  ['no dimensions', buildGgufFile(tensor({ dims: [] })), 'GGUF_TENSOR_INVALID', 'has 0 dimensions'],
  ['five dimensions', buildGgufFile(tensor({ dims: [1, 1, 1, 1, 1] })), 'GGUF_TENSOR_INVALID', 'has 5 dimensions'],
  ['a dimension of 0', buildGgufFile(tensor({ dims: [32, 0] })), 'GGUF_TENSOR_INVALID', 'the shape 32 x 0'],
  ['a product beyond 2^53', buildGguf(tensor({ dims: [2n ** 30n, 2n ** 30n] })).header, 'GGUF_TENSOR_INVALID', 'shape'],
  [
    'a product that wraps around to 0',
    buildGguf(tensor({ dims: [2n ** 32n, 2n ** 32n] })).header,
    'GGUF_TENSOR_INVALID',
    'shape 4294967296 x 4294967296',
  ],
  [
    'a row that ends within a block',
    buildGguf(tensor({ dims: [100], type: 'Q4_K' })).header,
    'GGUF_TENSOR_INVALID',
    '100',
  ],
  ['a removed type', buildGgufFile(tensor({ type: 4 })), 'GGUF_TENSOR_TYPE_UNKNOWN', 'the tensor a has type 4'],
  [
    'a newer type',
    buildGgufFile(tensor({ type: 99 })),
    'GGUF_TENSOR_TYPE_UNKNOWN',
    'has type 99, which no llama.cpp up to b12032 knows',
  ],
  ['a tensor name of 64 bytes', buildGgufFile(tensor({ name: 'n'.repeat(64) })), 'GGUF_LIMIT_EXCEEDED', 'at most 63'],
  [
    'a tensor that occurs twice',
    buildGgufFile({
      tensors: [
        { name: 'a', dims: [8], type: 'F32' },
        { name: 'a', dims: [8], type: 'F32' },
      ],
    }),
    'GGUF_TENSOR_INVALID',
    'the tensor a occurs twice',
  ],
  [
    'tensors that overlap',
    buildGgufFile({
      tensors: [
        { name: 'a', dims: [8], type: 'F32' },
        { name: 'b', dims: [8], type: 'F32', offset: 0 },
      ],
    }),
    'GGUF_TENSOR_INVALID',
    'tensors overlap or leave gaps',
  ],
  [
    'an offset that is not aligned',
    buildGgufFile(tensor({ offset: 7 })),
    'GGUF_TENSOR_INVALID',
    'overlap or leave gaps',
  ],
  ['an offset of 2^63', buildGgufFile(tensor({ offset: 2n ** 63n })), 'GGUF_TENSOR_INVALID', 'overlap or leave gaps'],
];

describe('the header parser refuses', () => {
  test.each(CASES)('%s', (_, bytes, code, message) => {
    const found = refusal(bytes);
    expect(found).toMatchObject({ code, exitCode: 3 });
    expect(found.message).toContain(message);
    expect(found.message).toMatch(/^evil\.gguf: [^\n]+$/);
  });

  test('a file that ends within its header, wherever that is', () => {
    const { header, unpaddedBytes } = buildGguf({ tensors: [{ name: 'a', dims: [8], type: 'F32' }] });
    for (let length = 4; length < unpaddedBytes; length++) {
      expect(refusal(header.subarray(0, length), length).code).toBe('GGUF_TRUNCATED');
    }
  });

  test('a file that ends within a tensor', () => {
    const { header } = buildGguf({ tensors: [{ name: 'a', dims: [8], type: 'F32' }] });
    const { code, message } = refusal(header, header.length + 31);
    expect(code).toBe('GGUF_TRUNCATED');
    expect(message).toContain(`ends at byte ${header.length + 32}, but the file has ${header.length + 31} bytes`);
  });

  test('more kept metadata than any model has', () => {
    const metadata = Array.from({ length: 600 }, (_, index) => [`k${index}`, 'x'.repeat(4000), 'str'] as const);
    expect(refusal(buildGgufFile({ metadata }))).toMatchObject({
      code: 'GGUF_LIMIT_EXCEEDED',
      message: 'evil.gguf: keys and values to keep exceed 2097152 bytes',
    });
  });

  test('a header that never ends, after 128 MiB', () => {
    const parser = new GgufHeaderParser('evil.gguf');
    const words = new Uint8Array(9 * 2 ** 20);
    for (let at = 0; at < words.length; at += 36) words[at] = 28;
    parser.push(start(0, 1).string('tokenizer.ggml.tokens').u32(ARRAY).u32(STRING).u64(4_000_000).bytes());
    for (let chunk = 0; chunk < 14; chunk++) expect(parser.push(words)).toBe(false);
    expect(() => parser.push(words)).toThrow('more than the 134217728 bytes a header may have');
  });
});
