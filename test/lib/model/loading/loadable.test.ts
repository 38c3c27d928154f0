import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ggmlTypeByName } from '../../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor, MetadataValue } from '../../../../src/lib/gguf/header.js';
import { fromDigest } from '../../../../src/lib/gguf/digest/read-digest.js';
import { toDigest } from '../../../../src/lib/gguf/digest/digest.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

function header(profile: string): GgufHeader {
  return profileHeader(readProfile(`test/oracle/profiles/${profile}.json`));
}

const DRAFTS = readdirSync('test/oracle/drafts/profiles').filter((name) => !name.startsWith('lora-'));
/** The first profile of each architecture, drafts among them. */
const ONE_OF_EACH = [
  ...new Map(
    [
      ...readdirSync('test/oracle/profiles').map((name) => `test/oracle/profiles/${name}`),
      ...DRAFTS.map((name) => `test/oracle/drafts/profiles/${name}`),
    ]
      .map((path) => [readProfile(path).architecture, path] as const)
      .reverse(),
  ),
];
/** The vocabulary of a file without one is as long as its embedding; the table of n-grams may have more rows than are named. */
const CHECKED_BY_SIZE_ALONE = /^(per_layer_)?token_embd\.weight$/;

const LLAMA = header('llama-3.1-8b.Q4_K_M');

function changed(base: GgufHeader, values: Readonly<Record<string, MetadataValue>>): GgufHeader {
  return { ...base, metadata: new Map([...base.metadata, ...Object.entries(values)]) };
}

function codeOf(work: () => unknown): unknown {
  try {
    work();
    return 'no error';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe('a header held against itself', () => {
  it.each([
    ['no layers at all', { 'llama.block_count': 0 }],
    ['more layers than llama.cpp has room for', { 'llama.block_count': 513 }],
    ['two hundred million layers', { 'llama.block_count': 200_000_000 }],
    ['more prediction layers than layers', { 'llama.nextn_predict_layers': 33 }],
    ['nothing but prediction layers', { 'llama.nextn_predict_layers': 32 }],
    ['more experts than llama.cpp has room for', { 'llama.expert_count': 1025, 'llama.expert_used_count': 2 }],
    ['more experts used than there are', { 'llama.expert_count': 8, 'llama.expert_used_count': 50_000_000 }],
    ['experts of which none is used', { 'llama.expert_count': 8, 'llama.expert_used_count': 0 }],
    ['used experts without experts', { 'llama.expert_used_count': 2 }],
    [
      'groups that do not divide the experts',
      {
        'llama.expert_count': 8,
        'llama.expert_used_count': 2,
        'llama.expert_group_count': 3,
        'llama.expert_group_used_count': 1,
      },
    ],
  ])('refuses %s, as load_hparams does', (_, values) => {
    expect(codeOf(() => describeModel(changed(LLAMA, values)))).toBe('MODEL_COUNT_INVALID');
  });

  it.each([0, 2 ** 31, 2 ** 32 - 1])('refuses a context of %d tokens that only the header names', (tokens) => {
    const shape = describeModel(changed(LLAMA, { 'llama.context_length': tokens }));
    expect(codeOf(() => estimateMemory(shape, { accelerator: 'cpu' }))).toBe('LAUNCH_REFUSED_BY_LLAMA_CPP');
    expect(estimateMemory(shape, { accelerator: 'cpu', ctxSize: 4096 }).resolved.nCtx).toBe(4096);
  });

  it.each([
    ['nanbeige-nanbeige4.2-3b.Q4_K_M', 'nanbeige.num_loops', 2 ** 32 - 1],
    ['nanbeige-nanbeige4.2-3b.Q4_K_M', 'nanbeige.num_loops', 0],
    ['hrm_text-hrm-text-1b.Q4_K_M', 'hrm_text.hrm.layers_per_stack', 0],
    ['hrm_text-hrm-text-1b.Q4_K_M', 'hrm_text.hrm.h_cycles', 1],
  ])('refuses loops over blocks that are not the layers: %s with %s of %d', (profile, key, value) => {
    expect(codeOf(() => describeModel(changed(header(profile), { [key]: value })))).toBe('MODEL_COUNT_INVALID');
  });

  it('refuses buffers that no machine has, instead of taking their size for a small one', () => {
    const vl = header('qwen3vl-qwen3-vl-32b.Q4_K_M');
    const shape = describeModel(changed(vl, { 'qwen3vl.n_deepstack_layers': 2 ** 32 - 1 }));
    expect(codeOf(() => estimateMemory(shape, { accelerator: 'metal' }))).toBe('MODEL_GRAPH_INVALID');
  });

  it('refuses blocks beyond block_count, which would not be counted', () => {
    expect(codeOf(() => describeModel(changed(LLAMA, { 'llama.block_count': 2 })))).toBe('MODEL_TENSOR_UNUSED');
  });

  it('refuses layers that have no tensors', () => {
    expect(codeOf(() => describeModel(changed(LLAMA, { 'llama.block_count': 40 })))).toBe('MODEL_TENSOR_MISSING');
  });

  it.each([
    [1, /tensor 'blk\.39\.nextn\.eh_proj\.weight' not found/],
    [39, /tensor 'blk\.1\.attn_qkv\.weight' has wrong shape; expected 2048, 9216/],
  ])('refuses to leave out %d layers as prediction layers that are none, in llama.cpp’s words', (count, words) => {
    const header35 = header('qwen3.6-35b-a3b.Q4_K_M');
    expect(() => describeModel(changed(header35, { 'qwen35moe.nextn_predict_layers': count }))).toThrow(words);
  });

  it('refuses a byte order that is not the machine’s, in the words of gguf.cpp', () => {
    const other = { ...LLAMA, byteOrder: 'big' } as const;
    expect(codeOf(() => describeModel(other))).toBe('MODEL_BYTE_ORDER');
    expect(() => describeModel(other)).toThrow(/mismatch between the host and model endianness/);
  });

  it('refuses counts below 0, beyond 32 bits, and lists of another length than one a layer', () => {
    const lists = { 'llama.attention.head_count_kv': new Array<number>(31).fill(8) };
    expect(codeOf(() => describeModel(changed(LLAMA, lists)))).toBe('MODEL_KEY_TYPE');
    expect(codeOf(() => describeModel(changed(LLAMA, { 'llama.attention.key_length_swa': -4 })))).toBe(
      'MODEL_KEY_TYPE',
    );
    expect(codeOf(() => describeModel(changed(LLAMA, { 'llama.context_length': 2 ** 40 })))).toBe('MODEL_KEY_TYPE');
  });

  it('takes one number of used experts a layer', () => {
    const mixtral = header('mixtral-8x7b.Q4_K_M');
    const perLayer = changed(mixtral, { 'llama.expert_used_count': new Array<number>(32).fill(2) });
    expect(estimateMemory(describeModel(perLayer), { accelerator: 'metal' })).toEqual(
      estimateMemory(describeModel(mixtral), { accelerator: 'metal' }),
    );
  });

  it('does not mind an infinite value that nothing reads, fresh or from the cache', () => {
    const gemma = header('gemma3n-gemma-3n-e2b');
    const real = changed(gemma, { 'gemma3n.activation_sparsity_scale': [1.64, -Infinity, NaN, Infinity] });
    const expected = estimateMemory(describeModel(gemma), { accelerator: 'metal' });
    expect(estimateMemory(describeModel(real), { accelerator: 'metal' })).toEqual(expected);
    const cached = fromDigest(JSON.parse(JSON.stringify(toDigest(real))));
    expect(cached.metadata).toEqual(real.metadata);
    expect(estimateMemory(describeModel(cached), { accelerator: 'metal' })).toEqual(expected);
  });

  it('refuses an infinite value that is read', () => {
    expect(codeOf(() => describeModel(changed(LLAMA, { 'llama.attention.key_length_swa': Infinity })))).toBe(
      'MODEL_KEY_TYPE',
    );
  });
});

/** A header with its tensors changed; where they lie is none of the loader's business here. */
function withTensors(base: GgufHeader, change: (tensors: readonly GgufTensor[]) => readonly GgufTensor[]): GgufHeader {
  return { ...base, tensors: change(base.tensors) };
}

function without(name: string) {
  return (tensors: readonly GgufTensor[]): readonly GgufTensor[] => tensors.filter((tensor) => tensor.name !== name);
}

function resized(name: string, dims: readonly number[]) {
  return (tensors: readonly GgufTensor[]): readonly GgufTensor[] =>
    tensors.map((tensor) => (tensor.name === name ? { ...tensor, dims } : tensor));
}

function withMore(name: string, dims: readonly number[]) {
  const type = ggmlTypeByName('F32');
  if (type === undefined) throw new Error('no F32');
  return (tensors: readonly GgufTensor[]): readonly GgufTensor[] => [
    ...tensors,
    { name, dims, type, file: 0, offsetBytes: 0, bytes: 4 },
  ];
}

describe('the tensors of a file', () => {
  it.each(readdirSync('test/oracle/profiles').map((name) => [name.replace('.json', '')]))(
    'are those that its architecture loads: %s',
    (profile) => {
      expect(() => describeModel(header(profile))).not.toThrow();
    },
  );

  it.each(DRAFTS)('are those that its draft loads: %s', (draft) => {
    expect(() => describeModel(profileHeader(readProfile(`test/oracle/drafts/profiles/${draft}`)))).not.toThrow();
  });

  it.each(ONE_OF_EACH)('are all used, whatever the architecture: %s', (architecture, path) => {
    const base = profileHeader(readProfile(path));
    const block = architecture === 't5' || architecture === 't5encoder' ? 'enc.blk.0' : 'blk.0';
    expect(codeOf(() => describeModel(withTensors(base, withMore(`${block}.attn_unheard.weight`, [1]))))).toBe(
      'MODEL_TENSOR_UNUSED',
    );
  });

  it.each(ONE_OF_EACH)('all have the shape that their architecture gives them: %s', (_, path) => {
    const base = profileHeader(readProfile(path));
    const shapes = base.tensors.filter(({ name }) => !CHECKED_BY_SIZE_ALONE.test(name));
    for (const { name, dims } of new Map(shapes.map((tensor) => [tensor.name.replace(/\d+/, 'n'), tensor])).values()) {
      const longer = withTensors(base, resized(name, [...dims.slice(0, -1), (dims.at(-1) ?? 0) + 1]));
      expect([name, codeOf(() => describeModel(longer))]).not.toEqual([name, 'no error']);
    }
  });

  it.each([
    ['llama-3.1-8b.Q4_K_M', 'blk.3.ffn_gate.weight'],
    ['llama-3.1-8b.Q4_K_M', 'blk.31.attn_output.weight'],
    ['llama-3.1-8b.Q4_K_M', 'output_norm.weight'],
    ['deepseek2-deepseek-v3', 'blk.5.attn_kv_a_norm.weight'],
    ['gpt-oss-20b.MXFP4', 'output.weight'],
    ['qwen35-qwen3.5-9b', 'blk.0.ssm_a'],
  ])('of %s cannot lack %s', (profile, name) => {
    const lacking = withTensors(header(profile), without(name));
    expect(codeOf(() => describeModel(lacking))).toBe('MODEL_TENSOR_MISSING');
    expect(() => describeModel(lacking)).toThrow(`tensor '${name}' not found`);
  });

  it('may lack what llama.cpp does without, such as an output head', () => {
    const smol = header('smollm2-1.7b.Q4_K_M');
    expect(() => describeModel(withTensors(smol, without('output.weight')))).not.toThrow();
    expect(() => describeModel(withTensors(LLAMA, without('rope_freqs.weight')))).not.toThrow();
  });

  it.each([
    ['blk.0.attn_norm.weight', [8192], 'expected 4096, got 8192'],
    ['blk.7.attn_k.weight', [4096, 2048], 'expected 4096, 1024, got 4096, 2048'],
    ['token_embd.weight', [4096, 100], 'expected 4096, 128256, got 4096, 100'],
  ])('have the shape that the header gives %s', (name, dims, words) => {
    const wrong = withTensors(LLAMA, resized(name, dims));
    expect(codeOf(() => describeModel(wrong))).toBe('MODEL_TENSOR_SHAPE');
    expect(() => describeModel(wrong)).toThrow(`tensor '${name}' has wrong shape; ${words}`);
  });

  it.each([
    { 'llama.attention.head_count_kv': 0 },
    { 'llama.attention.head_count': 0 },
    { 'llama.embedding_length': 2 },
    { 'llama.feed_forward_length': 7 },
  ])('contradict a header with %j', (values) => {
    expect(codeOf(() => describeModel(changed(LLAMA, values)))).toBe('MODEL_TENSOR_SHAPE');
  });

  it('are all used: Ollama’s blobs with a projector inside are refused in llama.cpp’s words', () => {
    const blob = withTensors(LLAMA, withMore('v.blk.0.attn_q.weight', [1152, 1152]));
    expect(codeOf(() => describeModel(blob))).toBe('MODEL_TENSOR_UNUSED');
    expect(() => describeModel(blob)).toThrow(
      /wrong number of tensors; expected 293, got 292: llama has no use for v\.blk\.0\.attn_q\.weight/,
    );
  });

  it('may bring factors of their own for weights that are there', () => {
    const scaled = withTensors(LLAMA, withMore('blk.0.attn_q.scale', [1]));
    expect(() => describeModel(scaled)).not.toThrow();
    expect(codeOf(() => describeModel(withTensors(LLAMA, withMore('blk.0.attn_q.scale', [2]))))).toBe(
      'MODEL_TENSOR_UNUSED',
    );
  });

  it('are held to the same when the header comes from a cache entry that somebody changed', () => {
    const digest = JSON.parse(JSON.stringify(toDigest(LLAMA))) as { metadata: [string, unknown][] };
    const count = digest.metadata.find(([key]) => key === 'llama.block_count');
    if (count !== undefined) count[1] = 2;
    expect(codeOf(() => describeModel(fromDigest(digest)))).not.toBe('no error');
  });
});
