import { describe, expect, it } from '@jest/globals';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { GgufHeader, MetadataValue } from '../../../../src/lib/gguf/header.js';
import { refuseNewerModel } from '../../../../src/lib/estimate/version-limits.js';
import { llamaCpp } from '../../../../src/lib/runtime/llama-cpp.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

function header(profile: string): GgufHeader {
  return profileHeader(readProfile(`test/oracle/profiles/${profile}.json`));
}

type Change = Readonly<Record<string, MetadataValue | undefined>>;

/** A header with keys changed, or taken out where they are undefined. */
function changed(base: GgufHeader, change: Change): GgufHeader {
  const all = Object.entries({ ...Object.fromEntries(base.metadata), ...change });
  return { ...base, metadata: new Map(all.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))) };
}

function refusal(base: GgufHeader, change: Change): string | undefined {
  try {
    describeModel(changed(base, change));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const LLAMA = header('llama-3.1-8b.Q4_K_M');

describe('a file that lacks what its architecture’s loader asks for is refused in llama.cpp’s words', () => {
  // Each as llama.cpp v0.5.0 said it when it was given such a file.
  it.each([
    ['llama-3.1-8b.Q4_K_M', 'llama.attention.layer_norm_rms_epsilon'],
    ['falcon-falcon-40b.Q4_K_M', 'falcon.attention.layer_norm_epsilon'],
    ['qwen35-qwen3.5-9b', 'qwen35.rope.dimension_sections'],
    ['gpt-oss-20b.MXFP4', 'gpt-oss.attention.sliding_window'],
    ['deepseek2-deepseek-v3', 'deepseek2.attention.q_lora_rank'],
    ['granite-granite-3.3-8b', 'granite.logit_scale'],
  ])('%s without %s', (profile, key) => {
    expect(refusal(header(profile), { [key]: undefined })).toContain(
      `llama.cpp does not load this file: key not found in model: ${key}`,
    );
  });

  // Each aborted llama.cpp v0.5.0 when its graph was built.
  it.each([
    ['dots1-dots.llm1-142b.Q4_K_M', 'dots1.expert_gating_func'],
    ['minimax-m2-minimax-m2', 'minimax-m2.expert_gating_func'],
    ['afmoe-trinity-mini-26b.Q4_K_M', 'afmoe.attention.sliding_window'],
    ['arwkv7-arwkv7-7b.Q4_K_M', 'arwkv7.token_shift_count'],
    ['deepseek2-deepseek-v3', 'deepseek2.attention.head_count_kv'],
  ])('%s without %s, whose default does not work', (profile, key) => {
    expect(refusal(header(profile), { [key]: undefined })).toContain('llama.cpp does not load this file');
  });

  it('a list that is missing or is one value', () => {
    const gemma = header('gemma-4-26b-a4b.Q4_K_M');
    const key = 'gemma4.attention.sliding_window_pattern';
    expect(refusal(gemma, { [key]: undefined })).toContain(`array key not found in model: ${key}`);
    expect(refusal(gemma, { [key]: 6 })).toContain(`array key not found in model: ${key}`);
  });

  it('a number that is a word', () => {
    expect(refusal(LLAMA, { 'llama.attention.layer_norm_rms_epsilon': '1e-5' })).toContain('has wrong type');
  });

  // As llama.cpp v0.5.0 said of such files, or where it aborted.
  it.each([
    [{ 'llama.rope.dimension_count': 64 }, 'invalid n_rot: 64, expected 128'],
    [{ 'llama.rope.dimension_count': 0 }, 'invalid n_rot: 0, expected 128'],
    [{ 'llama.rope.scaling.type': 'foo' }, 'LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED'],
  ])('a rotation that it does not know: %j', (change, reason) => {
    expect(refusal(LLAMA, change)).toContain(reason);
  });

  // As llama.cpp v0.5.0 or a server of b11549 aborted, when its graph was built or run.
  it.each<[string, Change, string]>([
    ['qwen3-30b-a3b.Q4_K_M', { 'qwen3moe.rope.dimension_count': 2 ** 31 }, 'GGML_ASSERT(n_embd_head == n_rot) failed'],
    ['qwen3-30b-a3b.Q4_K_M', { 'qwen3moe.rope.dimension_count': 64 }, 'GGML_ASSERT(n_embd_head == n_rot) failed'],
    ['gemma-2-9b.Q4_K_M', { 'gemma2.rope.dimension_count': 512 }, 'GGML_ASSERT(n_dims <= ne0) failed'],
    ['gemma-2-9b.Q4_K_M', { 'gemma2.rope.dimension_count': 7 }, 'GGML_ASSERT(n_dims % 2 == 0) failed'],
    ['gemma-4-26b-a4b.Q4_K_M', { 'gemma4.rope.dimension_count_swa': undefined }, 'GGML_ASSERT(n_dims <= ne0) failed'],
    ['qwen3.6-35b-a3b.Q4_K_M', { 'qwen35moe.rope.dimension_sections': [0, 0, 0, 0] }, 'sections[0] > 0'],
    [
      'nomic-bert-nomic-embed-text-v1.5',
      { 'nomic-bert.attention.key_length': 32 },
      'n_embd_head == hparams.n_embd_head_k()',
    ],
    [
      'gpt-oss-20b.MXFP4',
      { 'gpt-oss.attention.sliding_window_pattern': 1 },
      'GGML_ASSERT(hparams.is_swa_any()) failed',
    ],
    [
      'gemma-4-26b-a4b.Q4_K_M',
      { 'gemma4.attention.shared_kv_layers': 29 },
      'attention.shared_kv_layers is 29; it can be 0 to 28',
    ],
    ['llama-3.1-8b.Q4_K_M', { 'llama.attention.layer_norm_rms_epsilon': -1 }, 'GGML_ASSERT(eps >= 0.0f) failed'],
    [
      'step35-step-3.5-flash.Q4_K_M',
      { 'step35.expert_gating_func': 7 },
      'no such gating function, since step35.expert_gating_func is 7',
    ],
    ['dots1-dots.llm1-142b.Q4_K_M', { 'dots1.expert_gating_func': 0 }, 'no such gating function'],
    [
      'qwen4exp-qwen3.8-flash-next.Q4_K_M',
      { 'qwen4exp.ple.head_offsets': [0] },
      'qwen4exp.ple.head_offsets has 1 entries, but at least',
    ],
    ['qwen4exp-qwen3.8-flash-next.Q4_K_M', { 'qwen4exp.ple.ngram_size': 1 }, 'PLE n-gram size 1 is out of range'],
    ['rwkv7-rwkv7-world-2.9b.Q4_K_M', { 'rwkv7.wkv.head_size': 7 }, 'ggml_nelements(a) == ne0*ne1*ne2'],
    ['rwkv7-rwkv7-world-2.9b.Q4_K_M', { 'rwkv7.token_shift_count': 1 }, 'hparams.token_shift_count == 2'],
    ['llama-3.1-8b.Q4_K_M', { 'llama.attention.layer_norm_rms_epsilon': NaN }, 'GGML_ASSERT(eps >= 0.0f) failed'],
  ])('sizes that its graph cannot have: %s with %j', (profile, change, reason) => {
    expect(refusal(header(profile), change)).toContain(reason);
  });

  it('but not a part of a head to be rotated, a cap of any size, or one value for all that list their layers', () => {
    expect(refusal(header('gemma-2-9b.Q4_K_M'), { 'gemma2.rope.dimension_count': 128 })).toBeUndefined();
    expect(refusal(header('gemma-4-26b-a4b.Q4_K_M'), { 'gemma4.final_logit_softcapping': -1 })).toBeUndefined();
    expect(refusal(LLAMA, { 'llama.attention.layer_norm_epsilon': -1 })).toBeUndefined();
    expect(refusal(header('qwen3.6-35b-a3b.Q4_K_M'), { 'qwen35moe.attention.recurrent_layers': 1 })).toContain(
      "tensor 'blk.3.ssm_conv1d.weight' not found",
    );
  });

  it('either of two, where one is enough', () => {
    const cohere = header('cohere2moe-cohere-command-30b-a3b.Q4_K_M');
    const [rms, plain] = ['cohere2moe.attention.layer_norm_rms_epsilon', 'cohere2moe.attention.layer_norm_epsilon'];
    expect(refusal(cohere, { [rms]: 1e-5, [plain]: undefined })).toBeUndefined();
    expect(refusal(cohere, { [rms]: undefined, [plain]: 1e-5 })).toBeUndefined();
    expect(refusal(cohere, { [rms]: undefined, [plain]: undefined })).toContain('missing Cohere2 MoE norm epsilon');
  });

  it('and one that lacks what has a default is not', () => {
    expect(refusal(LLAMA, { 'llama.rope.freq_base': undefined, 'general.name': undefined })).toBeUndefined();
    expect(
      refusal(header('deepseek-v2-lite.Q4_K_M'), { 'deepseek2.attention.q_lora_rank': undefined }),
    ).toBeUndefined();
  });
});

/** Vocabularies are as long as the embedding. */
const WORDS = { skipped: true, length: 128256 } as const;

describe('a vocabulary', () => {
  const vocabulary = (change: Change): string | undefined =>
    refusal(LLAMA, Object.fromEntries(Object.entries(change).map(([key, value]) => [`tokenizer.ggml.${key}`, value])));

  it.each<[string, Change, string]>([
    ['of a kind that nobody knows', { model: 'sentencepiece', tokens: WORDS }, "unknown tokenizer: 'sentencepiece'"],
    [
      'cut in a way that nobody knows',
      { model: 'gpt2', pre: 'gemma5', merges: WORDS, tokens: WORDS },
      "unknown pre-tokenizer type: 'gemma5'",
    ],
    ['of pairs without pairs', { model: 'gpt2', pre: 'qwen2', tokens: WORDS }, 'cannot find tokenizer merges'],
    ['without words', { model: 'llama' }, 'cannot find tokenizer vocab in model file'],
    ['of no kind', { model: undefined, pre: 'qwen2', tokens: WORDS }, 'key not found in model: tokenizer.ggml.model'],
    [
      'with fewer scores than words',
      { model: 't5', tokens: WORDS, scores: { skipped: true, length: 2 } },
      'Index out of array bounds for scores (2 < 128256)',
    ],
  ])('%s is refused in llama.cpp’s words', (_, change, words) => {
    expect(vocabulary(change)).toContain(`llama.cpp does not load this file: ${words}`);
  });

  it.each<[string, Change]>([
    ['none at all, said so', { model: 'none' }],
    ['pairs, cut as by default', { model: 'gpt2', merges: WORDS, tokens: WORDS }],
    ['pairs, cut by an empty name', { model: 'gpt2', pre: '', merges: WORDS, tokens: WORDS }],
    ['Kimi’s, which has no pairs', { model: 'gpt2', pre: 'kimi-k2', tokens: WORDS }],
    ['Gemma’s, whatever it says of cutting', { model: 'gemma4', pre: 'own', merges: WORDS, tokens: WORDS }],
    ['whole words', { model: 'llama', pre: 'own', tokens: WORDS, scores: WORDS }],
    ['nothing of it, as a profile of a file has it', { model: undefined, tokens: WORDS }],
  ])('that llama.cpp loads is accepted: %s', (_, change) => {
    expect(vocabulary(change)).toBeUndefined();
  });

  it('that an older llama.cpp does not read is named, with the version that does', () => {
    const shape = describeModel(
      changed(LLAMA, {
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': 'glm5',
        'tokenizer.ggml.merges': WORDS,
        'tokenizer.ggml.tokens': WORDS,
      }),
    );
    expect(() => {
      refuseNewerModel(shape, llamaCpp('v0.5.0'));
    }).toThrow(/v0\.5\.0 does not know the tokenizer "glm5" .*; v0\.8\.0 does/);
    expect(() => {
      refuseNewerModel(shape, llamaCpp('v0.8.0'));
    }).not.toThrow();
  });
});
