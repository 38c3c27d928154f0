import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { MemoryEstimate } from '../../../src/lib/estimate/memory-estimate.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const QWEN = profileHeader(readProfile('test/oracle/profiles/qwen4exp-qwen3.8-flash-next.Q4_K_M.json'));

function estimate(header: GgufHeader, launch: Partial<LaunchOptions> = {}): MemoryEstimate {
  return estimateMemory(describeModel(header), { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 8192, ...launch });
}

function bytesOf({ parts }: MemoryEstimate, name: string): number {
  return parts.filter((part) => part.name === name).reduce((sum, { bytes }) => sum + bytes, 0);
}

test('the layer that looks up n-grams keeps the rows that its convolution looks back to, beside its state', () => {
  const one = estimate(QWEN, { parallel: 1 });
  const states = 36 * (3 * (6144 + 2 * 16 * 128) + 128 * 6144);
  const ngrams = 3 * 3 * 4 * 2560;
  expect(bytesOf(one, 'recurrent-state')).toBe(4 * (states + ngrams));
});

test('the indexer caches keys and no values beside the layers that attend', () => {
  const one = estimate(QWEN, { parallel: 1 });
  expect(bytesOf(one, 'kv-cache')).toBe(12 * 8192 * 2 * (2 * 2 * 256 + 128));
});

test('the table of n-grams stays in the file whatever --no-mmap says', () => {
  const table = QWEN.tensors.find(({ name }) => name === 'per_layer_token_embd.weight');
  const copied = bytesOf(estimate(QWEN, { mmap: false, repack: false }), 'weights-copy');
  const all = QWEN.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(copied).toBeLessThanOrEqual(all - (table?.bytes ?? 0) + 32 * QWEN.tensors.length);
});

test('norms of all streams are loaded stream by stream though the file has them in one row', () => {
  const tensors = QWEN.tensors.map((tensor) =>
    /hc_(attn|ffn)_norm|output_hc_norm|ple_norm/.test(tensor.name) ? { ...tensor, dims: [4 * 2560] } : tensor,
  );
  expect(estimate({ ...QWEN, tensors }).parts).toEqual(estimate(QWEN).parts);
});

test('a table with fewer rows than its heads look up is refused', () => {
  const tensors = QWEN.tensors.map((tensor) =>
    tensor.name === 'per_layer_token_embd.weight' ? { ...tensor, dims: [160, 1000] } : tensor,
  );
  expect(() => describeModel({ ...QWEN, tensors })).toThrow(/too few rows for the PLE head ranges/);
});
