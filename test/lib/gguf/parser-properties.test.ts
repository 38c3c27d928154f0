import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toDigest } from '../../../src/lib/gguf/digest/digest.js';
import { GgufError } from '../../../src/lib/gguf/gguf-error.js';
import { GgufHeaderParser } from '../../../src/lib/gguf/header-parser.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import { fromDigest } from '../../../src/lib/gguf/digest/read-digest.js';
import { buildGgufFile, type Entry, type GgufSpec, type TensorEntry } from '../../support/models/gguf-writer.js';

/** The header, or the parser's own error; anything else that is thrown fails the test. */
function parse(bytes: Uint8Array, chunks: readonly number[] = []): GgufHeader | GgufError {
  const parser = new GgufHeaderParser('test.gguf', bytes.length);
  try {
    let at = 0;
    for (let index = 0; at < bytes.length; index++) {
      const size = chunks[index % chunks.length] ?? bytes.length;
      if (parser.push(bytes.slice(at, at + size))) break;
      at += size;
    }
    return parser.end();
  } catch (error) {
    if (error instanceof GgufError) return error;
    throw error;
  }
}

const key = fc.stringMatching(/^[a-z]{1,8}\.[a-z_]{1,12}$/);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(key, fc.nat(), fc.constant('u32' as const)),
  fc.tuple(key, fc.boolean(), fc.constant('bool' as const)),
  fc.tuple(key, fc.stringMatching(/^[ -~é]{0,40}$/), fc.constant('str' as const)),
  fc.tuple(key, fc.array(fc.integer({ min: -9, max: 9 })), fc.constant('[i32]' as const)),
  fc.tuple(key, fc.array(fc.stringMatching(/^[ -~]{0,9}$/)), fc.constant('[str]' as const)),
);
const tensorName = fc.oneof(
  fc
    .tuple(fc.nat({ max: 6 }), fc.constantFrom('attn_q', 'attn_k', 'ffn_up'))
    .map(([i, part]) => `blk.${i}.${part}.weight`),
  fc.stringMatching(/^[a-z{}.0-9]{1,20}$/),
);
const tensor: fc.Arbitrary<TensorEntry> = fc.record({
  name: tensorName,
  dims: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 9 })).map(([blocks, rows]) => [256 * (blocks + 1), rows + 1]),
  type: fc.constantFrom('F32', 'F16', 'Q4_K', 'Q8_0', 'MXFP4'),
});
const spec: fc.Arbitrary<GgufSpec> = fc.record({
  version: fc.constantFrom(2, 3),
  byteOrder: fc.constantFrom('little' as const, 'big' as const),
  metadata: fc.uniqueArray(entry, { selector: ([name]) => name, maxLength: 12 }),
  tensors: fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 12 }),
});

const SMALL: GgufSpec = {
  metadata: [
    ['general.architecture', 'llama', 'str'],
    ['llama.block_count', 1, 'u32'],
    ['llama.attention.head_count_kv', [8, 8], '[i32]'],
    ['tokenizer.ggml.tokens', ['a', 'bc'], '[str]'],
    ['x.f', 1.5, 'f32'],
  ],
  tensors: [
    { name: 'token_embd.weight', dims: [256, 3], type: 'Q4_K' },
    { name: 'blk.0.attn_q.weight', dims: [32, 2], type: 'Q8_0' },
  ],
};

describe('for any header', () => {
  test('what was written is read, in whatever chunks it comes', () => {
    fc.assert(
      fc.property(spec, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }), (given, chunks) => {
        const header = parse(buildGgufFile(given), chunks) as GgufHeader;
        expect(Object.fromEntries(header.metadata)).toEqual(
          Object.fromEntries((given.metadata ?? []).map(([name, value]) => [name, value])),
        );
        expect(header.tensors.map(({ name, dims, type }) => ({ name, dims, type: type.name }))).toEqual(given.tensors);
      }),
    );
  });

  test('its digest, written as JSON, gives it back', () => {
    fc.assert(
      fc.property(spec, (given) => {
        const header = parse(buildGgufFile(given)) as GgufHeader;
        expect(fromDigest(JSON.parse(JSON.stringify(toDigest(header))))).toEqual(header);
      }),
    );
  });
});

describe('for any bytes', () => {
  test('a small header with any one byte changed is read or refused, nothing else', () => {
    const bytes = buildGgufFile(SMALL);
    const refused = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (bytes[at] ?? 0) ^ flip;
        const result = parse(changed);
        if (result instanceof GgufError) refused.add(result.code);
      }
    }
    expect([...refused].sort()).toEqual([
      'GGUF_LIMIT_EXCEEDED',
      'GGUF_METADATA_INVALID',
      'GGUF_NOT_GGUF',
      'GGUF_TENSOR_INVALID',
      'GGUF_TENSOR_TYPE_UNKNOWN',
      'GGUF_TRUNCATED',
      'GGUF_VERSION_UNSUPPORTED',
    ]);
  });

  test('bytes after a GGUF magic are read or refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(2, 3), (tail, version) => {
        const bytes = Uint8Array.from([...new TextEncoder().encode('GGUF'), version, 0, 0, 0, ...tail]);
        const result = parse(bytes);
        expect(result instanceof GgufError || result.version === version).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('several changes, cuts and repetitions of a header are read or refused, nothing else', () => {
    const bytes = buildGgufFile(SMALL);
    const position = fc.nat({ max: bytes.length - 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(position, fc.nat({ max: 255 })), { maxLength: 6 }),
        position,
        position,
        (edits, a, b) => {
          const changed = Uint8Array.from([
            ...bytes.subarray(0, a),
            ...bytes.subarray(Math.min(a, b)),
            ...bytes.subarray(b),
          ]);
          for (const [at, value] of edits) changed[at] = value;
          const result = parse(changed, [17]);
          expect(result instanceof GgufError || result.tensors.length >= 0).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
