import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../oracle/cases.js';
import { type Profile, profileHeader, readProfile } from '../../support/models/profile.js';

const LLAMA = readProfile(join(PROFILES, 'llama-3.2-3b.Q5_K_M.json'));

function withFeedForward(type: string): Profile {
  const tensors = LLAMA.tensors.map((tensor) =>
    /ffn_(gate|up|down)/.test(tensor.name) ? { ...tensor, type } : tensor,
  );
  return { ...LLAMA, tensors };
}

describe('a file that only later versions of llama.cpp read', () => {
  const eightBits = describeModel(profileHeader(withFeedForward('F8_E4M3')));

  test('is refused for those before', () => {
    const launch = { accelerator: 'cpu', ctxSize: 4096 } as const;
    expect(() => estimateMemory(eightBits, { ...launch, llamaCpp: 'v0.5.0' })).toThrow(
      /llama\.cpp v0\.5\.0 does not know tensors of type F8_E4M3 .*; v0\.8\.0 does/,
    );
    expect(() => estimateMemory(eightBits, { ...launch, llamaCpp: 'v0.8.0' })).not.toThrow();
  });

  test('is refused for its tensors, too', () => {
    const dense = { name: 'dense_2.weight', dims: [1024, 1024], type: 'F16' };
    const embedding = readProfile(join(PROFILES, 'qwen3-embedding-0.6b.Q8_0.json'));
    const shape = describeModel(profileHeader({ ...embedding, tensors: [...embedding.tensors, dense] }));
    const launch = { accelerator: 'cpu', ctxSize: 4096, mode: 'embedding' } as const;
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.5.0' })).toThrow(
      /v0\.5\.0 does not know the tensor "dense_2\.weight" of qwen3 .*; v0\.8\.0 does/,
    );
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.8.0' })).not.toThrow();
  });

  test('is refused for a head that predicts ahead, of Mellum', () => {
    const mellum = readProfile(join(PROFILES, 'mellum-mellum-2-12b.Q4_K_M.json'));
    const metadata = mellum.metadata.filter(([key]) => key !== 'mellum.block_count');
    const predicting = {
      ...mellum,
      metadata: [
        ...metadata,
        ['mellum.block_count', 29, 'u32'],
        ['mellum.nextn_predict_layers', 1, 'u32'],
      ] as typeof metadata,
      tensors: [
        // Blocks 27 and 28 have the same weights.
        ...mellum.tensors.map((tensor) => ({
          ...tensor,
          ...(tensor.blocks && { blocks: tensor.blocks.replace(/27$/, '28') }),
        })),
        { name: 'blk.28.nextn.eh_proj.weight', dims: [4608, 2304], type: 'F16' },
        ...['enorm', 'hnorm', 'shared_head_norm'].map((name) => ({
          name: `blk.28.nextn.${name}.weight`,
          dims: [2304],
          type: 'F32',
        })),
      ],
    };
    const shape = describeModel(profileHeader(predicting));
    const launch = { accelerator: 'cpu', ctxSize: 4096 } as const;
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.5.0' })).toThrow(
      /v0\.5\.0 does not know the tensor "blk\.28\.nextn\.eh_proj\.weight" of mellum .*; v0\.8\.0 does/,
    );
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.8.0' })).not.toThrow();
  });

  test('is refused for a factor of an output that is not of type NVFP4', () => {
    const factor = { name: 'output.scale', dims: [1], type: 'F32' };
    const output = { name: 'output.weight', dims: [3072, 128256], type: 'Q6_K' };
    const shape = describeModel(profileHeader({ ...LLAMA, tensors: [...LLAMA.tensors, output, factor] }));
    const launch = { accelerator: 'cpu', ctxSize: 4096 } as const;
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.5.0' })).toThrow(
      /v0\.5\.0 does not know the tensor output\.scale beside an output of type Q6_K .*; v0\.8\.0 does/,
    );
    expect(() => estimateMemory(shape, { ...launch, llamaCpp: 'v0.8.0' })).not.toThrow();
  });

  test('takes a byte a weight, multiplied by the CPU where Metal has no kernel for it', () => {
    const { parts } = estimateMemory(eightBits, { accelerator: 'metal', ctxSize: 4096, llamaCpp: 'v0.8.0' });
    // Three matrices of 3072 x 8192 in each of 28 layers stay with the host.
    const onHost = parts.find(({ name, device }) => name === 'weights' && device === 'host');
    expect(onHost?.bytes).toBeGreaterThanOrEqual(28 * 3 * 3072 * 8192);
  });
});

describe('figures for CUDA', () => {
  test.each([
    ['v0.5.0', 'exact'],
    ['v0.8.0', 'modelled'],
  ])('are %s: %s, for CUDA was measured with v0.5.0', (llamaCpp, accuracy) => {
    const shape = describeModel(profileHeader(LLAMA));
    const { parts } = estimateMemory(shape, { accelerator: 'cuda', ctxSize: 4096, llamaCpp });
    expect(parts.find(({ name }) => name === 'compute')?.accuracy).toBe(accuracy);
  });
});
