import { describe, expect, it } from '@jest/globals';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { ggmlTypeByName } from '../../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor, MetadataValue } from '../../../../src/lib/gguf/header.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

interface Change {
  readonly keys?: Readonly<Record<string, MetadataValue>>;
  /** Tensors that the file lacks. */
  readonly without?: RegExp;
  /** What tensors are written as. */
  readonly types?: readonly [RegExp, string];
  /** Tensors beside others, of the same shape in each block. */
  readonly beside?: readonly [RegExp, string];
  /** Shapes, row length first, that the changed keys give to tensors. */
  readonly dims?: readonly (readonly [RegExp, readonly number[]])[];
}

function header(profile: string, { keys = {}, without, types, beside, dims = [] }: Change): GgufHeader {
  const base = profileHeader(readProfile(`test/oracle/profiles/${profile}.json`));
  const typed = (tensor: GgufTensor): GgufTensor =>
    types?.[0].test(tensor.name) ? { ...tensor, type: ggmlTypeByName(types[1]) as GgufTensor['type'] } : tensor;
  const tensors = base.tensors.flatMap((tensor) => {
    if (without?.test(tensor.name)) return [];
    const added = beside?.[0].test(tensor.name) ? [{ ...tensor, name: tensor.name.replace(...beside) }] : [];
    const shaped = dims.find(([name]) => name.test(tensor.name))?.[1] ?? tensor.dims;
    return [typed({ ...tensor, dims: [...shaped] }), ...added];
  });
  return { ...base, metadata: new Map([...base.metadata, ...Object.entries(keys)]), tensors };
}

function verdict(profile: string, change: Change): string {
  try {
    const mode = /^(bge|nomic)/.test(profile) ? 'embedding' : 'chat';
    estimateMemory(describeModel(header(profile, change)), { accelerator: 'cpu', ctxSize: 512, parallel: 1, mode });
    return 'loads';
  } catch (error) {
    return (error as Error).message;
  }
}

const list = <T>(length: number, value: T, first: T = value): T[] => [first, ...new Array<T>(length - 1).fill(value)];

// What llama.cpp v0.5.0 said of each file: its loader's words, or the assertion that ended it.
describe('what llama.cpp does not load or run is refused', () => {
  it.each<[string, string, Change, RegExp]>([
    [
      'a list for all layers where only those that run count',
      'apertus-apertus-8b.Q4_K_M',
      { keys: { 'apertus.nextn_predict_layers': 1 } },
      /xielu\.alpha_n has wrong array length; expected 31, got 32/,
    ],
    [
      'delta attention without its safe gate',
      'bailingmoe3-ling-3-8b-a1b.Q4_K_M',
      { keys: { 'bailingmoe3.kda.safe_gate': false } },
      /GGML_ASSERT\(hparams\.kda_safe_gate\)/,
    ],
    [
      'a lower bound that is none',
      'bailingmoe3-ling-3-8b-a1b.Q4_K_M',
      { keys: { 'bailingmoe3.kda.gate_lower_bound': 1 } },
      /kda_gate_lower_bound < 0/,
    ],
    [
      'an OCR model with another base of its rotation',
      'deepseek2-ocr-deepseek-ocr-3b.Q8_0',
      { keys: { 'deepseek2-ocr.rope.freq_base': 20000 } },
      /fabs\(freq_base - 10000\.0\) < 1e-4/,
    ],
    [
      'a dense module for other embeddings',
      'gemma-embedding-embeddinggemma-300m.Q8_0',
      { keys: { 'gemma-embedding.dense_2_feat_in': 7 } },
      /must be equal to n_embd/,
    ],
    [
      'experts in every 0th layer',
      'ernie4_5-moe-ernie-4.5-21b-a3b.Q4_K_M',
      { keys: { 'ernie4_5-moe.interleave_moe_layer_step': 0 } },
      /n_moe_layer_step > 0/,
    ],
    [
      'a first layer that shares an indexer',
      'hy_v4-hy4-a.Q4_K_M',
      { keys: { 'hy_v4.attention.indexer.types': 0 } },
      /layer 0 must own an indexer/,
    ],
    [
      'no layer with an indexer',
      'dots3note-dots3-note-288b.Q4_K_M',
      { keys: { 'dots3note.attention.indexer.types': list(46, 0) } },
      /no layer has an indexer/,
    ],
    [
      'experts by a table of no numbers',
      'deepseek4-deepseek-v4-flash.Q4_K_M',
      { types: [/tid2eid/, 'F32'] },
      /of F32, not I32/,
    ],
    ['sinks of another type', 'mimo2-mimo-v2-flash.Q4_K_M', { types: [/attn_sinks/, 'F16'] }, /F16, not F32/],
    [
      'shared experts without what is multiplied by their gate',
      'hy_v3-hy3-30b-a3b-mtp.Q4_K_M',
      { without: /ffn_up_shexp/ },
      /numbers in its header contradict each other \(swiglu/,
    ],
    ['a pooling that is none', 'bge-m3.Q8_0', { keys: { 'bert.pooling_type': 5 } }, /unknown pooling type 5/],
    ['nor is this', 'bge-m3.Q8_0', { keys: { 'bert.pooling_type': 2 ** 31 } }, /unknown pooling type 2147483648/],
    [
      'a layer that sums more experts than the first layer’s number of them chooses',
      'nomic-bert-moe-nomic-embed-v2-moe.Q8_0',
      { keys: { 'nomic-bert-moe.expert_used_count': list(12, 4, 2) } },
      /view of/,
    ],
    [
      'a block that predicts ahead without what makes it one',
      'qwen35-qwen3.5-27b-mtp',
      { without: /nextn\.eh_proj/ },
      /nextn\.eh_proj\.weight' not found/,
    ],
    [
      'heads of queries that only some layers have',
      'lfm2-lfm2-350m.Q8_0',
      { keys: { 'lfm2.attention.head_count': list(16, 16, 8) } },
      /reshape of/,
    ],
    [
      'heads that are together wider than the model',
      'nemotron-nemotron-mini-4b.Q4_K_M',
      {
        keys: { 'nemotron.attention.head_count': 48, 'nemotron.attention.key_length': 128 },
        dims: [
          [/attn_q\.weight/, [3072, 6144]],
          [/attn_output\.weight/, [6144, 3072]],
        ],
      },
      /attn_q\.weight' has wrong shape; expected 3072, 3072, got 3072, 6144/,
    ],
    [
      'value heads that the key heads do not share alike',
      'qwen35-qwen3.5-9b',
      {
        keys: { 'qwen35.ssm.group_count': 3 },
        dims: [
          [/blk\.\d+\.attn_qkv\.weight/, [4096, 4864]],
          [/ssm_conv1d\.weight/, [4, 4864]],
        ],
      },
      /32 value heads among 3/,
    ],
    [
      'short convolutions that look at no other token',
      'lfm2-lfm2-350m.Q8_0',
      { keys: { 'lfm2.shortconv.l_cache': 1 }, dims: [[/shortconv\.conv\.weight/, [1, 1024]]] },
      /failed to allocate buffer for rs cache/,
    ],
    [
      'keys and values of two sizes in layers that have some',
      'lfm2-lfm2-350m.Q8_0',
      {
        keys: { 'lfm2.attention.value_length': 32 },
        dims: [[/attn_v\.weight/, [1024, 256]]],
      },
      /n_embd_v_gqa\[i\] == n_embd_k_gqa\[i\]/,
    ],
    [
      'heads that groups of outputs do not share alike',
      'deepseek4-deepseek-v4-flash.Q4_K_M',
      {
        keys: { 'deepseek4.attention.output_group_count': 3 },
        dims: [
          [/attn_output_a\.weight/, [Math.floor((64 * 512) / 3), 1024, 3]],
          [/attn_output_b\.weight/, [3 * 1024, 4096]],
        ],
      },
      /n_head % dsv4_o_group_count == 0/,
    ],
    [
      'an indexer whose keys are shorter than what is rotated of them',
      'deepseek4-deepseek-v4-flash.Q4_K_M',
      { keys: { 'deepseek4.attention.indexer.key_length': 32 } },
      /indexer_head_size >= n_rot/,
    ],
    [
      'parts of one tensor that the rotation’s size does not cut as the heads’ does',
      'gpt-oss-20b.MXFP4',
      { keys: { 'gpt-oss.attention.key_length': 65 } },
      /n_embd_head == hparams\.n_embd_head_k\(\)/,
    ],
    [
      'features of images by a number above how many there are',
      'granite-granite-4.0-vision-3b.Q4_K_M',
      { keys: { 'granite.deepstack_mapping': [-1, 2, 2] } },
      /Invalid deepstack index/,
    ],
    [
      'attention that is scaled beyond a length of nothing',
      'mistral3-devstral-2-123b.Q4_K_M',
      { keys: { 'mistral3.attention.temperature_scale': 0.1, 'mistral3.rope.scaling.original_context_length': 0 } },
      /invalid n_ctx_orig_yarn/,
    ],
    [
      'adapters that not every one has tokens for',
      'graniteswitch-granite-switch-4.1-3b.Q4_K_M',
      { keys: { 'graniteswitch.adapters.token_ids_activate': [100300] } },
      /adapter token id arrays/,
    ],
  ])('%s: %s', (_, profile, change, words) => {
    expect(verdict(profile, change)).toMatch(words);
  });
});

describe('what llama.cpp loads is not refused', () => {
  it.each<[string, string, Change]>([
    [
      'a graph that takes the first layer’s heads for all',
      'arcee-afm-4.5b.Q4_K_M',
      { keys: { 'arcee.attention.head_count': list(36, 10, 20) } },
    ],
    [
      'a token embedding that is the output’s matrix',
      'codeshell-codeshell-7b.Q4_K_M',
      { without: /^token_embd\.weight$/ },
    ],
    [
      'a norm of keys that nothing is normed with',
      'mpt-mpt-7b.Q4_K_M',
      { beside: [/^(blk\.\d+)\.ffn_norm\.weight$/, '$1.attn_k_norm.weight'] },
    ],
    ['a pooling that is -1, unspecified', 'bge-m3.Q8_0', { keys: { 'bert.pooling_type': 2 ** 32 - 1 } }],
    ['a norm without a weight', 'hy_v3-hy3-30b-a3b-mtp.Q4_K_M', { without: /^blk\.0\.attn_norm\.weight$/ }],
    ['an indexer’s norm without a weight', 'glm-dsa-glm-5.Q4_K_M', { without: /^blk\.28\.indexer\.k_norm\.weight$/ }],
    ['a block that predicts ahead and lacks its own tensors', 'glm4moe-glm-4.5-air', { without: /\.nextn\./ }],
    [
      'one value where a list was looked for',
      'granite-granite-4.0-vision-3b.Q4_K_M',
      { keys: { 'granite.deepstack_mapping': 1 } },
    ],
    [
      'elements to rotate that have no room in 31 bits',
      'mimo2-mimo-v2-flash.Q4_K_M',
      { keys: { 'mimo2.rope.dimension_count': 2 ** 31 } },
    ],
  ])('%s: %s', (_, profile, change) => {
    expect(verdict(profile, change)).toBe('loads');
  });
});

describe('what llama.cpp makes of numbers that no model has', () => {
  const estimate = (profile: string, change: Change, launch: object) =>
    estimateMemory(describeModel(header(profile, change)), {
      accelerator: 'cpu',
      cpuArch: 'x86',
      ctxSize: 2048,
      ...launch,
    });

  it('takes the last blocks of DeepSeek-V4 for layers where none of them has a head that predicts', () => {
    const profile = 'deepseek4-deepseek-v4-flash.Q4_K_M';
    const keys = { 'deepseek4.nextn_predict_layers': 1 };
    expect(estimate(profile, { keys }, {}).parts).toEqual(estimate(profile, {}, {}).parts);
  });

  // 104,869,920 bytes by llama.cpp v0.5.0, and 115,355,680 with a feature more, for each of 512 tokens.
  it('counts features of images also where they are for layers that there are not', () => {
    const profile = 'granite-granite-4.0-vision-3b.Q4_K_M';
    const compute = (named: readonly number[]): number | undefined => {
      const keys = named.length > 0 ? { 'granite.deepstack_mapping': named } : {};
      const { parts } = estimate(profile, { keys }, { parallel: 1, llamaCpp: 'v0.5.0' });
      return parts.find(({ name }) => name === 'compute')?.bytes;
    };
    const given = Array.from({ length: 40 }, (_, layer) => [4, 7, 10].indexOf(layer));
    expect(compute([])).toBe(104869920);
    expect(compute([...given, 3])).toBe(115355680);
  });

  // 55,065,120 bytes by llama.cpp v0.5.0.
  it('pads positions to blocks as if their size were a power of 2', () => {
    const keys = { 'minimax-m3.attention.indexer.block_size': 129 };
    const { parts } = estimate(
      'minimax-m3-minimax-m3-428b.Q4_K_M',
      { keys },
      { parallel: 2, ubatchSize: 128, llamaCpp: 'v0.5.0' },
    );
    expect(parts.find(({ name }) => name === 'compute')?.bytes).toBe(55065120);
  });
});
