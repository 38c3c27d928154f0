import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { type MemoryEstimate, totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { type GgmlType, ggmlTypeByName, rowBytes } from '../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/profile.js';
import { withRequiredKeys } from '../../support/required-keys.js';

const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };

const WIDTH = 4096;
const KV_WIDTH = 8 * 128;
const FEED_FORWARD = 32768;
/** Of each of the adapters that are built in, the base model's empty one among them. */
const RANK = 8;

/** Granite's header, as if of another architecture. */
function graniteAs(architecture: string): GgufHeader {
  const header = profileHeader(readProfile(join(PROFILES, 'granite-granite-4.1-30b.Q4_K_M.json')));
  const metadata = new Map(
    [...header.metadata].map(([key, value]) => [key.replace(/^granite\./, `${architecture}.`), value]),
  );
  return withRequiredKeys({ ...header, metadata: metadata.set('general.architecture', architecture) });
}

/** The same model as Granite Switch has it: Q, K and V in one, and adapters beside the weights. */
function graniteSwitch(): GgufHeader {
  const header = graniteAs('graniteswitch');
  const blocks = Array.from({ length: 64 }, (_, block) => `blk.${block}`);
  const own = blocks.flatMap((block) => [
    tensor(`${block}.attn_qkv.weight`, 'Q4_K', [WIDTH, WIDTH + 2 * KV_WIDTH]),
    ...lora(`${block}.attn_q`, WIDTH, WIDTH),
    ...lora(`${block}.attn_k`, WIDTH, KV_WIDTH),
    ...lora(`${block}.attn_v`, WIDTH, KV_WIDTH),
    ...lora(`${block}.attn_output`, WIDTH, WIDTH),
    ...lora(`${block}.ffn_gate`, WIDTH, FEED_FORWARD),
    ...lora(`${block}.ffn_up`, WIDTH, FEED_FORWARD),
    ...lora(`${block}.ffn_down`, FEED_FORWARD, WIDTH),
  ]);
  const kept = header.tensors.filter(({ name }) => !/attn_[qkv]\.weight$/.test(name));
  const metadata = new Map([...header.metadata, ['graniteswitch.adapters.lora_rank', RANK]]);
  return { ...header, metadata, tensors: [...kept, ...own] };
}

function lora(weight: string, from: number, to: number): GgufTensor[] {
  return [tensor(`${weight}.lora_a`, 'F16', [from, RANK]), tensor(`${weight}.lora_b`, 'F16', [RANK, to])];
}

function tensor(name: string, typeName: string, dims: readonly number[]): GgufTensor {
  const type = ggmlTypeByName(typeName) as GgmlType;
  const [row = 1, ...rows] = dims;
  const bytes = rowBytes(type, row) * rows.reduce((a, b) => a * b, 1);
  return { name, dims, type, bytes, offsetBytes: 2 ** 40, file: 0 };
}

function estimate(header: GgufHeader, more: Partial<LaunchOptions> = {}): MemoryEstimate {
  return estimateMemory(describeModel(header), { ...launch, ...more });
}

function bytesOf({ parts }: MemoryEstimate, name: string): number {
  return parts.filter((part) => part.name === name).reduce((sum, { bytes }) => sum + bytes, 0);
}

test('an architecture that llama.cpp knows and that is not described here ends in a bound, and says so', () => {
  const bound = estimate(graniteSwitch());
  expect(bound.notes.join()).toContain('"graniteswitch" is not described here');
  const accuracies = new Map(bound.parts.map(({ name, accuracy }) => [name, accuracy]));
  expect(accuracies.get('kv-cache')).toBe('bound');
  expect(accuracies.get('compute')).toBe('bound');
  expect(accuracies.get('weights')).toBe('exact');
  expect(totalBytes(bound)).toBeGreaterThan(totalBytes(estimate(graniteAs('granite'))));
});

test('the bound counts a row of logits for every token of a batch where llama.cpp computed that, until June 2026', () => {
  const vocabulary = 100352;
  const [june, now] = ['b9453', 'v0.5.0'].map((llamaCpp) =>
    bytesOf(estimate(graniteSwitch(), { llamaCpp }), 'compute'),
  );
  expect((june ?? 0) - (now ?? 0)).toBeGreaterThanOrEqual((512 - 4) * vocabulary * 4);
});

test("Granite Switch's router has a cache of one head beside the layers'", () => {
  const cacheOf = (header: GgufHeader): number => bytesOf(estimate(header), 'kv-cache');
  const headSize = 128;
  expect(cacheOf(graniteSwitch()) - cacheOf(graniteAs('granite'))).toBe(2 * headSize * 8192 * 2);
});

/** Kolibri 1's layers, small, with more experts than usual at work for a token. */
function kolibri(): GgufHeader {
  const [layers, width, experts, used, feedForward] = [4, 2048, 64, 24, 768];
  const metadata: [string, number | boolean[]][] = [
    ['expert_count', experts],
    ['expert_used_count', used],
    ['expert_feed_forward_length', feedForward],
    ['embedding_length', width],
    ['block_count', layers],
    ['attention.head_count', 16],
    ['attention.head_count_kv', 4],
    ['attention.key_length', 128],
    ['attention.value_length', 128],
    ['attention.sliding_window', 1024],
    ['attention.sliding_window_pattern', [true, true, true, false]],
  ];
  const header = graniteAs('kolibri1');
  const blocks = Array.from({ length: layers }, (_, i) => `blk.${i}`);
  return {
    ...header,
    metadata: new Map([...header.metadata, ...metadata.map(([key, value]) => [`kolibri1.${key}`, value] as const)]),
    tensors: [
      tensor('token_embd.weight', 'Q6_K', [width, 100352]),
      tensor('output.weight', 'Q6_K', [width, 100352]),
      ...blocks.flatMap((block) => [
        tensor(`${block}.attn_q.weight`, 'Q4_K', [width, 2048]),
        tensor(`${block}.attn_k.weight`, 'Q4_K', [width, 512]),
        tensor(`${block}.attn_v.weight`, 'Q4_K', [width, 512]),
        tensor(`${block}.attn_output.weight`, 'Q4_K', [2048, width]),
        tensor(`${block}.ffn_gate_exps.weight`, 'Q4_K', [width, feedForward, experts]),
        tensor(`${block}.ffn_up_exps.weight`, 'Q4_K', [width, feedForward, experts]),
        tensor(`${block}.ffn_down_exps.weight`, 'Q4_K', [feedForward, width, experts]),
      ]),
    ],
  };
}

test('the bound counts experts that are kept on the host as computed there', () => {
  const host = estimate(kolibri(), { ctxSize: 16384, ubatchSize: 2048, cpuMoeLayers: Infinity, llamaCpp: 'b12032' })
    .parts.filter(({ name, device }) => name === 'compute' && device === 'host')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  // llama.cpp b12032's own allocator, with such layers
  expect(host).toBeGreaterThanOrEqual(981_573_664);
});

test.each(['beam', 'flint', 'kolibri1', 'maion-coder', 'muse-spark'])(
  '%s caches a window and its ubatch where the header says so, and everything elsewhere',
  (architecture) => {
    const named = [...kolibri().metadata].map(
      ([key, value]) => [key.replace(/^kolibri1\./, `${architecture}.`), value] as const,
    );
    const metadata = new Map([...named, ['general.architecture', architecture]] as const);
    const header = withRequiredKeys({ ...kolibri(), metadata });
    const found = estimate(header, { ctxSize: 32768, parallel: 1, llamaCpp: 'b12032' });
    // K and V of 4 heads of 128 in f16: three layers of 1024 + 512 cells, one of 32768
    expect(bytesOf(found, 'kv-cache')).toBe(2 * 4 * 128 * 2 * (3 * 1536 + 32768));
    expect(found.parts.find(({ name }) => name === 'kv-cache')?.accuracy).toBe('bound');
  },
);

test('a table of which a token reads one row adds nothing to the bound of the compute buffers', () => {
  const shape = describeModel(graniteSwitch());
  const table = tensor('per_layer_token_embd.weight', 'Q8_0', [8960, 262144]);
  const withTable = { ...shape, tensors: new Map([...shape.tensors, [table.name, table]]) };
  const [without, added] = [shape, withTable].map((each) => bytesOf(estimateMemory(each, launch), 'compute'));
  expect(added).toBe(without);
});

test('an architecture of which it is not known what llama.cpp caches is not sized at all', () => {
  const shape = describeModel(graniteAs('glm5-next'));
  expect(() => estimateMemory(shape, launch)).toThrow(
    expect.objectContaining({ code: 'MODEL_CACHE_UNKNOWN', exitCode: 3 }),
  );
});

test('without flash attention the bound counts each score three times, and what says who sees whom once', () => {
  const onGpu = (ctxSize: number): number =>
    estimate(graniteSwitch(), { ctxSize, flashAttn: 'off' })
      .parts.filter(({ name, device }) => name === 'compute' && device === 'gpu')
      .reduce((sum, { bytes }) => sum + bytes, 0);
  const [heads, ubatch, f32Bytes] = [32, 512, 4];
  // Granite Switch's router has a cache of as many cells, whose mask counts once more
  const caches = (onGpu(16384) - onGpu(8192)) / (8192 * ubatch * f32Bytes) - 3 * heads;
  expect([1, 2]).toContain(caches);
});

test('the bound trusts automatic flash attention only with head sizes that every GPU has a kernel for', () => {
  const shape = describeModel(graniteSwitch());
  const flashAttn = (headK: number): boolean =>
    estimateMemory({ ...shape, hparams: { ...shape.hparams, headK } }, launch).resolved.flashAttn;
  expect([flashAttn(128), flashAttn(100)]).toEqual([true, false]);
});
