import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { MemoryEstimate } from '../../../src/lib/estimate/memory-estimate.js';
import { type GgmlType, ggmlTypeByName, rowBytes } from '../../../src/lib/gguf/ggml-types.js';
import type { GgufHeader, GgufTensor } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';
import { withRequiredKeys } from '../../support/models/required-keys.js';

const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192, llamaCpp: 'b12032' };

/** Granite's header, as if of another architecture. */
function graniteAs(architecture: string): GgufHeader {
  const header = profileHeader(readProfile(join(PROFILES, 'granite-granite-4.1-30b.Q4_K_M.json')));
  const metadata = new Map(
    [...header.metadata].map(([key, value]) => [key.replace(/^granite\./, `${architecture}.`), value]),
  );
  return withRequiredKeys({ ...header, metadata: metadata.set('general.architecture', architecture) });
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
  const bound = estimate(kolibri());
  expect(bound.notes.join()).toContain('"kolibri1" is not described here');
  const accuracies = new Map(bound.parts.map(({ name, accuracy }) => [name, accuracy]));
  expect(accuracies.get('kv-cache')).toBe('bound');
  expect(accuracies.get('compute')).toBe('bound');
  expect(accuracies.get('weights')).toBe('exact');
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
  const host = estimate(kolibri(), { ctxSize: 16384, ubatchSize: 2048, cpuMoeLayers: Infinity })
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
    const found = estimate(header, { ctxSize: 32768, parallel: 1 });
    // K and V of 4 heads of 128 in f16: three layers of 1024 + 512 cells, one of 32768
    expect(bytesOf(found, 'kv-cache')).toBe(2 * 4 * 128 * 2 * (3 * 1536 + 32768));
    expect(found.parts.find(({ name }) => name === 'kv-cache')?.accuracy).toBe('bound');
  },
);

test('a table of which a token reads one row adds nothing to the bound of the compute buffers', () => {
  const shape = describeModel(kolibri());
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
    estimate(kolibri(), { ctxSize, flashAttn: 'off' })
      .parts.filter(({ name, device }) => name === 'compute' && device === 'gpu')
      .reduce((sum, { bytes }) => sum + bytes, 0);
  const [heads, ubatch, f32Bytes] = [16, 512, 4];
  const caches = (onGpu(16384) - onGpu(8192)) / (8192 * ubatch * f32Bytes) - 3 * heads;
  expect([1, 2]).toContain(caches);
});

test('the bound trusts automatic flash attention only with head sizes that every GPU has a kernel for', () => {
  const shape = describeModel(kolibri());
  const flashAttn = (headK: number): boolean =>
    estimateMemory({ ...shape, hparams: { ...shape.hparams, headK } }, launch).resolved.flashAttn;
  expect([flashAttn(128), flashAttn(100)]).toEqual([true, false]);
});

test('the bound counts logits three times, of each slot or, where all tokens are embedded, of each of a micro-batch', () => {
  const shape = describeModel(kolibri());
  const { hparams } = shape;
  const more = { ...shape, hparams: { ...hparams, nVocab: hparams.nVocab + 1000 } };
  const ofWords = (mode: 'chat' | 'embedding'): number => {
    const [without = 0, added = 0] = [shape, more].map((each) =>
      bytesOf(estimateMemory(each, { ...launch, mode }), 'compute'),
    );
    return added - without;
  };
  // Numbers of 4 bytes for 4 slots, and for 512 tokens.
  expect([ofWords('chat'), ofWords('embedding')]).toEqual([3 * 1000 * 4 * 4, 3 * 1000 * 512 * 4]);
});
