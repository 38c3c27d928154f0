import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { MemoryEstimate } from '../../../src/lib/estimate/memory-estimate.js';
import type { GgufHeader } from '../../../src/lib/gguf/header.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const FLASH = profileHeader(readProfile('test/oracle/profiles/deepseek4-deepseek-v4-flash.Q4_K_M.json'));

function estimate(header: GgufHeader, launch: Partial<LaunchOptions> = {}): MemoryEstimate {
  return estimateMemory(describeModel(header), { accelerator: 'cpu', llamaCpp: 'v0.5.0', ctxSize: 8192, ...launch });
}

function cacheBytes({ parts }: MemoryEstimate): number {
  return parts.filter(({ name }) => name === 'kv-cache').reduce((sum, { bytes }) => sum + bytes, 0);
}

test('DeepSeek 4 keeps windows, compressed keys and what the next are made of, for each of four slots', () => {
  const [layers, overlapping, blocks, slots] = [43, 21, 20, 4];
  const window = 768; // 128 and a batch of 512, in steps of 256
  const keys = 2 * slots * (layers * 512 * window + overlapping * (512 + 128) * (8192 / 4) + blocks * 512 * 256);
  const states = 4 * slots * 2 * (overlapping * (1024 + 256) * 8 + blocks * 512 * 128);
  expect(cacheBytes(estimate(FLASH))).toBe(keys + states);
});

test('a state is kept for every slot where the context is split, too', () => {
  const [one, two] = [1, 2].map((parallel) => cacheBytes(estimate(FLASH, { parallel, ctxSize: 8192 * parallel })));
  expect(two).toBe(2 * (one as number));
});

test('the groups of the output projection are loaded apart though the file has them in one matrix', () => {
  const tensors = FLASH.tensors.map((tensor) => {
    const [width = 0, rank = 0, groups = 0] = tensor.dims;
    return tensor.name.endsWith('attn_output_a.weight') ? { ...tensor, dims: [width, rank * groups] } : tensor;
  });
  expect(estimate({ ...FLASH, tensors }).parts).toEqual(estimate(FLASH).parts);
});

test('an output projection of another size is refused in the words of the loader', () => {
  const tensors = FLASH.tensors.map((tensor) =>
    tensor.name === 'blk.3.attn_output_a.weight' ? { ...tensor, dims: [4096, 1024, 4] } : tensor,
  );
  expect(() => describeModel({ ...FLASH, tensors })).toThrow(expect.objectContaining({ code: 'MODEL_TENSOR_SHAPE' }));
});

test('ratios for fewer layers than there are are refused in the words of the loader', () => {
  const metadata = new Map([...FLASH.metadata, ['deepseek4.attention.compress_ratios', [0, 0, 4]] as const]);
  expect(() => describeModel({ ...FLASH, metadata })).toThrow(/compress_ratios is shorter than block_count/);
});
