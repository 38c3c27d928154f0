import { describe, expect, it } from '@jest/globals';
import { fromDigest } from '../../../../src/lib/gguf/digest/read-digest.js';
import { toDigest } from '../../../../src/lib/gguf/digest/digest.js';
import { GgufHeaderParser } from '../../../../src/lib/gguf/header-parser.js';
import type { GgufHeader } from '../../../../src/lib/gguf/header.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { withKvOverrides } from '../../../../src/lib/model/overridden-header.js';
import { buildGguf, type Entry } from '../../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../../support/models/profile.js';

/** A profile's header as a file has it, read from its bytes, with keys written otherwise. */
function header(profile: string, ...entries: readonly Entry[]): GgufHeader {
  const spec = profileSpec(readProfile(`test/oracle/profiles/${profile}.json`));
  const changed = new Set(entries.map(([key]) => key));
  const metadata = [...(spec.metadata ?? []).filter(([key]) => !changed.has(key)), ...entries];
  const parser = new GgufHeaderParser(profile);
  parser.push(buildGguf({ ...spec, metadata }).header);
  return parser.end();
}

function refusal(read: GgufHeader): string | undefined {
  try {
    describeModel(read);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace('llama.cpp does not load this file: ', '');
  }
}

const all = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);
const [LLAMA, GEMMA2, QWEN35] = ['llama-3.1-8b.Q4_K_M', 'gemma-2-9b.Q4_K_M', 'qwen3.6-35b-a3b.Q4_K_M'] as const;

describe('a value is refused where llama.cpp reads it as another type, in its words', () => {
  // Each as llama.cpp v0.5.0 said of such a file.
  it.each<[string, Entry, string]>([
    [
      LLAMA,
      ['llama.rope.freq_base', 500000, 'u32'],
      'key llama.rope.freq_base has wrong type u32 but expected type f32',
    ],
    [LLAMA, ['llama.rope.scaling.finetuned', 1, 'u32'], 'has wrong type u32 but expected type bool'],
    [LLAMA, ['llama.rope.scaling.attn_factor', 1, 'f64'], 'has wrong type f64 but expected type f32'],
    [
      LLAMA,
      ['llama.context_length', [8192], '[u32]'],
      'key llama.context_length has wrong type arr but expected type u32',
    ],
    [LLAMA, ['llama.rope.scaling.type', 3, 'u32'], 'has wrong type u32 but expected type str'],
    [LLAMA, ['llama.vocab_size', 128256, 'i32'], 'key llama.vocab_size has wrong type i32 but expected type u32'],
    [GEMMA2, ['gemma2.final_logit_softcapping', 30, 'u32'], 'has wrong type u32 but expected type f32'],
    [QWEN35, ['qwen35moe.full_attention_interval', 4, 'i32'], 'has wrong type i32 but expected type u32'],
    [
      LLAMA,
      ['llama.attention.head_count_kv', all(32, 8), '[f32]'],
      'llama.attention.head_count_kv has wrong array element type f32',
    ],
    [
      LLAMA,
      ['llama.feed_forward_length', all(32, 14336), '[u16]'],
      'llama.feed_forward_length is not a string/float32/uint32/int32/uint64 array',
    ],
    [
      LLAMA,
      ['llama.attention.head_count', all(31, 32), '[u32]'],
      'key llama.attention.head_count has wrong array length; expected 32, got 31',
    ],
    [LLAMA, ['llama.classifier.output_labels', [1], '[u32]'], 'has wrong array element type u32'],
    [
      GEMMA2,
      ['gemma2.attention.sliding_window_pattern', all(42, 1), '[f32]'],
      'gemma2.attention.sliding_window_pattern has wrong array element type f32',
    ],
    [
      GEMMA2,
      ['gemma2.attention.sliding_window_pattern', all(513, 1), '[u32]'],
      'array length 513 for key gemma2.attention.sliding_window_pattern exceeds max 512',
    ],
    [GEMMA2, ['gemma2.attention.sliding_window_pattern', true, 'bool'], 'has wrong type bool but expected type u32'],
    [
      QWEN35,
      ['qwen35moe.rope.dimension_sections', [11, 11, 10], '[i32]'],
      'key qwen35moe.rope.dimension_sections has wrong array length; expected 4, got 3',
    ],
    [
      'plamo2-plamo-2-8b.Q4_K_M',
      ['plamo2.attention.key_length', 128, 'i32'],
      'has wrong type i32 but expected type u32',
    ],
    [QWEN35, ['qwen35moe.rope.dimension_sections', 11, 'u32'], 'has wrong type u32 but expected type i32'],
  ])('%s with %j', (profile, entry, words) => {
    expect(refusal(header(profile, entry))).toContain(words);
  });

  it.each<[string, Entry]>([
    ['heads in signed numbers, one a layer', ['llama.attention.head_count_kv', all(32, 8), '[i32]']],
    ['a list where one value is asked for and none is needed', ['llama.classifier.output_labels', 2, 'u32']],
    ['any type at a key that this architecture does not read', ['llama.attention.sliding_window', 'none', 'str']],
    ['or that nobody reads', ['general.quantization_version', [2], '[u32]']],
    ['or that is not looked at beside another', ['llama.rope.scale_linear', 1, 'u32']],
  ])('but not %s', (_, entry) => {
    const factor: Entry = ['llama.rope.scaling.factor', 8, 'f32'];
    expect(refusal(header(LLAMA, factor, entry))).toBeUndefined();
  });

  it('from the cache, too', () => {
    const read = header(LLAMA, ['llama.rope.freq_base', 500000, 'u32']);
    expect(refusal(fromDigest(JSON.parse(JSON.stringify(toDigest(read)))))).toContain('has wrong type u32');
  });

  it('but not where an option says the value: the file’s own is not looked at any more', () => {
    const read = header(LLAMA, ['llama.context_length', 8192, 'u64']);
    expect(refusal(read)).toContain('has wrong type u64 but expected type u32');
    expect(refusal(withKvOverrides(read, [{ key: 'llama.context_length', value: 4096 }]))).toBeUndefined();
  });
});

const words = (count: number): string[] => Array.from({ length: count }, (_, index) => `w${index}`);
/** A vocabulary of pairs as a converter writes it; only its length is kept, so it may be shorter than the embedding. */
const VOCABULARY: readonly Entry[] = [
  ['tokenizer.ggml.model', 'gpt2', 'str'],
  ['tokenizer.ggml.pre', 'llama-bpe', 'str'],
  ['tokenizer.ggml.merges', ['a b'], '[str]'],
  ['tokenizer.ggml.tokens', words(128256), '[str]'],
];

describe('a key of a tokenizer is refused where llama.cpp reads it as another type', () => {
  it.each<[Entry, string]>([
    [
      ['tokenizer.ggml.eos_token_id', 2, 'i32'],
      'key tokenizer.ggml.eos_token_id has wrong type i32 but expected type u32',
    ],
    [['tokenizer.ggml.fim_pre_token_id', 2, 'u64'], 'has wrong type u64 but expected type u32'],
    [
      ['tokenizer.ggml.add_bos_token', 1, 'u8'],
      'key tokenizer.ggml.add_bos_token has wrong type u8 but expected type bool',
    ],
    [['tokenizer.ggml.pre', 7, 'u32'], 'key tokenizer.ggml.pre has wrong type u32 but expected type str'],
    [['tokenizer.ggml.token_type', all(128256, 1), '[u32]'], 'invalid gguf type for tokenizer.ggml.token_type'],
    [['tokenizer.ggml.scores', all(128256, 1), '[f64]'], 'invalid gguf type for tokenizer.ggml.scores'],
    [['tokenizer.ggml.merges', [1], '[u32]'], 'invalid gguf type for tokenizer.ggml.merges'],
    [['tokenizer.ggml.tokens', all(128256, 1), '[u32]'], 'invalid gguf type for tokenizer.ggml.tokens'],
    [['tokenizer.ggml.suppress_tokens', [1], '[u32]'], 'invalid gguf type for tokenizer.ggml.suppress_tokens'],
  ])('%j', (entry, reason) => {
    const entries = [...VOCABULARY.filter(([key]) => key !== entry[0]), entry];
    expect(refusal(header(LLAMA, ...entries))).toContain(reason);
  });

  it.each<[string, readonly Entry[]]>([
    ['a token that is not there, which llama.cpp leaves alone', [['tokenizer.ggml.bos_token_id', 10 ** 6, 'u32']]],
    ['a template that is no text', [['tokenizer.chat_template', 5, 'u32']]],
    ['scores in whole numbers', [['tokenizer.ggml.scores', all(128256, 1), '[i32]']]],
    [
      'what is not read where there are no words',
      [
        ['tokenizer.ggml.model', 'no_vocab', 'str'],
        ['tokenizer.ggml.eos_token_id', 2, 'i32'],
      ],
    ],
  ])('but not %s', (_, entries) => {
    const keys = new Set(entries.map(([key]) => key));
    expect(refusal(header(LLAMA, ...VOCABULARY.filter(([key]) => !keys.has(key)), ...entries))).toBeUndefined();
  });
});
