import { describe, expect, test } from '@jest/globals';
import { GgufHeaderParser } from '../../../src/lib/gguf/header-parser.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import { buildGguf, buildGgufFile, type Entry, type GgufSpec } from '../../support/models/gguf-writer.js';

function parse(bytes: Uint8Array, chunkBytes = bytes.length, fileBytes?: number): GgufHeader {
  const parser = new GgufHeaderParser('test.gguf', fileBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (parser.push(bytes.slice(at, at + chunkBytes))) break;
  }
  return parser.end();
}

const EVERY_TYPE: readonly Entry[] = [
  ['general.architecture', 'llama', 'str'],
  ['a.u8', 255, 'u8'],
  ['a.i8', -128, 'i8'],
  ['a.u16', 65535, 'u16'],
  ['a.i16', -32768, 'i16'],
  ['a.u32', 4294967295, 'u32'],
  ['a.i32', -2147483648, 'i32'],
  ['a.f32', 0.5, 'f32'],
  ['a.bool', true, 'bool'],
  ['a.str', 'größe', 'str'],
  ['a.u64', 9007199254740991n, 'u64'],
  ['a.i64', -9007199254740991n, 'i64'],
  ['a.f64', 1e-300, 'f64'],
  ['a.counts', [1, 2, 3], '[i32]'],
  ['a.flags', [true, false], '[bool]'],
  ['a.words', ['x', 'yy'], '[str]'],
];

const TWO_TENSORS: GgufSpec = {
  metadata: EVERY_TYPE,
  tensors: [
    { name: 'token_embd.weight', dims: [256, 10], type: 'Q4_K' },
    { name: 'output_norm.weight', dims: [3], type: 'F32' },
    { name: 'blk.0.ffn_gate_exps.weight', dims: [32, 2, 5], type: 'Q8_0' },
  ],
};

describe('the header parser', () => {
  test.each<{ version: 2 | 3; byteOrder: 'little' | 'big' }>([
    { version: 2, byteOrder: 'little' },
    { version: 3, byteOrder: 'little' },
    { version: 2, byteOrder: 'big' },
    { version: 3, byteOrder: 'big' },
  ])('reads version $version in $byteOrder endian order', ({ version, byteOrder }) => {
    const header = parse(buildGgufFile({ ...TWO_TENSORS, version, byteOrder }));
    expect(header).toMatchObject({ version, byteOrder });
    expect(Object.fromEntries(header.metadata)).toEqual(
      Object.fromEntries(
        EVERY_TYPE.map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value] as const),
      ),
    );
  });

  test('places tensors one after another, aligned to 32 bytes', () => {
    const { header: bytes } = buildGguf(TWO_TENSORS);
    const { tensors, files } = parse(bytes);
    const dataOffsetBytes = bytes.length;
    expect(files).toEqual([{ bytes: undefined, dataOffsetBytes }]);
    // 256 x 10 elements of Q4_K are 10 blocks of 144 bytes; 3 of F32 take 12 bytes, padded to 32; 320 of Q8_0, 10 x 34.
    expect(
      tensors.map(({ name, dims, type, file, offsetBytes, bytes: size }) => [
        name,
        dims,
        type.name,
        file,
        offsetBytes - dataOffsetBytes,
        size,
      ]),
    ).toEqual([
      ['token_embd.weight', [256, 10], 'Q4_K', 0, 0, 1440],
      ['output_norm.weight', [3], 'F32', 0, 1440, 12],
      ['blk.0.ffn_gate_exps.weight', [32, 2, 5], 'Q8_0', 0, 1472, 340],
    ]);
  });

  test('follows general.alignment', () => {
    const spec: GgufSpec = {
      metadata: [['general.alignment', 4096, 'u32']],
      tensors: [
        { name: 'a', dims: [1], type: 'F32' },
        { name: 'b', dims: [1], type: 'F32' },
      ],
      alignment: 4096,
    };
    const { tensors, files } = parse(buildGgufFile(spec));
    expect(tensors.map(({ offsetBytes }) => offsetBytes)).toEqual([4096, 8192]);
    expect(files).toEqual([{ bytes: undefined, dataOffsetBytes: 4096, alignmentBytes: 4096 }]);
  });

  test.each([1, 2, 3, 7, 8, 64, 1000])('reads the same from chunks of %d bytes', (chunkBytes) => {
    const bytes = buildGgufFile({
      ...TWO_TENSORS,
      metadata: [...EVERY_TYPE, ['tokenizer.ggml.tokens', ['ab', ''], '[str]']],
    });
    expect(parse(bytes, chunkBytes)).toEqual(parse(bytes));
  });

  test('is done with the last tensor info and takes no byte of tensor data', () => {
    const { header, unpaddedBytes } = buildGguf(TWO_TENSORS);
    const parser = new GgufHeaderParser('test.gguf');
    expect(parser.push(header.subarray(0, unpaddedBytes - 1))).toBe(false);
    expect(parser.push(header.subarray(unpaddedBytes - 1, unpaddedBytes))).toBe(true);
  });

  test('lets the caller use the memory of a chunk again', () => {
    const bytes = buildGgufFile(TWO_TENSORS);
    const parser = new GgufHeaderParser('test.gguf');
    const buffer = new Uint8Array(10);
    for (let at = 0; at < bytes.length; at += buffer.length) {
      const piece = bytes.subarray(at, at + buffer.length);
      buffer.set(piece);
      if (parser.push(buffer.subarray(0, piece.length))) break;
      buffer.fill(0xff);
    }
    expect(parser.end()).toEqual(parse(bytes));
  });

  test('keeps of vocabularies, templates and long values only their lengths', () => {
    const header = parse(
      buildGgufFile({
        metadata: [
          ['tokenizer.ggml.model', 'gpt2', 'str'],
          ['tokenizer.ggml.tokens', ['a', 'b', 'c'], '[str]'],
          ['tokenizer.ggml.scores', [0, -1, -2, -3], '[f32]'],
          ['tokenizer.chat_template', '{{ messages }}', 'str'],
          ['general.license', 'x'.repeat(5000), 'str'],
          ['llama.layers', new Array<number>(4096).fill(7), '[u16]'],
          ['llama.many', new Array<number>(4097).fill(7), '[u16]'],
          ['llama.texts', ['y'.repeat(5000), 'z'], '[str]'],
          ['llama.end', 1, 'u32'],
        ],
      }),
      100,
    );
    expect(Object.fromEntries(header.metadata)).toEqual({
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.tokens': { skipped: true, length: 3 },
      'tokenizer.ggml.scores': { skipped: true, length: 4 },
      'tokenizer.chat_template': { skipped: true, length: 14 },
      'general.license': { skipped: true, length: 5000 },
      'llama.layers': new Array(4096).fill(7),
      'llama.many': { skipped: true, length: 4097 },
      'llama.texts': { skipped: true, length: 2 },
      'llama.end': 1,
    });
  });

  test('takes what could drive a terminal out of kept strings', () => {
    const header = parse(buildGgufFile({ metadata: [['general.name', 'A\u001b[2J\tB\nC\u009b', 'str']] }));
    expect(header.metadata.get('general.name')).toBe('A\ufffd[2J\tB\nC\ufffd');
  });

  test('reads a vocabulary without tensors, as in files for tests of tokenizers', () => {
    const { tensors, files } = parse(buildGguf({ tensors: [] }).header);
    expect(tensors).toEqual([]);
    expect(files).toHaveLength(1);
  });

  test('accepts a file whose last tensor ends with the file, without padding', () => {
    const { header } = buildGguf({ tensors: [{ name: 'a', dims: [1], type: 'F32' }] });
    expect(parse(header, header.length, header.length + 4).tensors).toHaveLength(1);
  });
});

test('a big-endian vocabulary is stepped over by lengths in that order', () => {
  const words = ['tokenizer.ggml.tokens', ['a', 'bb', 'a word of many letters'], '[str]'] as const;
  const metadata: readonly Entry[] = [['general.architecture', 'llama', 'str'], words, ['llama.block_count', 7, 'u32']];
  const read = parse(buildGguf({ byteOrder: 'big', metadata, tensors: [] }).header);
  expect(read.metadata.get('tokenizer.ggml.tokens')).toEqual({ skipped: true, length: 3 });
  expect(read.metadata.get('llama.block_count')).toBe(7);
});

test('says what each value is written as, lists by their elements', () => {
  const metadata: readonly Entry[] = [
    ['general.architecture', 'llama', 'str'],
    ['llama.attention.sliding_window', 512.5, 'f32'],
    ['tokenizer.ggml.scores', [0.5], '[f32]'],
  ];
  const { types } = parse(buildGguf({ metadata, tensors: [] }).header);
  expect([...(types ?? [])]).toEqual([
    ['general.architecture', 'str'],
    ['llama.attention.sliding_window', 'f32'],
    ['tokenizer.ggml.scores', '[f32]'],
  ]);
});

test('a key and a tensor may stand once', () => {
  const refused = (code: string) => expect.objectContaining({ code }) as unknown as Error;
  const twice: Entry = ['general.architecture', 'llama', 'str'];
  expect(() => parse(buildGguf({ metadata: [twice, twice], tensors: [] }).header)).toThrow(
    refused('GGUF_METADATA_INVALID'),
  );
  const tensor = { name: 'output.weight', dims: [32], type: 'F32' } as const;
  const { header } = buildGguf({ metadata: [twice], tensors: [tensor, tensor] });
  expect(() => parse(header)).toThrow(refused('GGUF_TENSOR_INVALID'));
});
