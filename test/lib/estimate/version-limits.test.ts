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
