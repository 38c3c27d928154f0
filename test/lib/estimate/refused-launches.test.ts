import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import { PROFILES } from '../../oracle/cases.js';
import { type Profile, profileHeader, readProfile } from '../../support/models/profile.js';

const profile = (name: string): Profile => readProfile(join(PROFILES, `${name}.json`));
const shapeOf = (given: Profile): ModelShape => describeModel(profileHeader(given));
const metal = { accelerator: 'metal', cpuArch: 'arm', ctxSize: 8192, llamaCpp: 'v0.5.0' } as const;

describe('launches on which llama.cpp aborts', () => {
  test('Kimi Linear with three slots, among whose caches 512 tokens cannot be shared out', () => {
    const shape = shapeOf(profile('kimi-linear-kimi-linear-48b-a3b.Q4_K_M'));
    const launch = { ...metal, parallel: 3 };
    expect(() => estimateMemory(shape, launch)).toThrow(
      expect.objectContaining({ code: 'LAUNCH_UNEVEN_SHARES', exitCode: 2 }),
    );
    expect(() => estimateMemory(shape, { ...launch, ubatchSize: 510 })).not.toThrow();
    expect(() => estimateMemory(shape, { ...launch, kvUnified: true })).not.toThrow();
    expect(() => estimateMemory(shape, { ...metal, parallel: 4 })).not.toThrow();
  });

  test('MiniMax M3 with twelve slots, whose graph outgrows its room also where few layers are on the GPU', () => {
    const shape = shapeOf(profile('minimax-m3-minimax-m3-428b.Q4_K_M'));
    const launch = { ...metal, ctxSize: 1024, gpuLayers: 3 };
    expect(() => estimateMemory(shape, { ...launch, parallel: 12 })).toThrow(
      expect.objectContaining({ code: 'LAUNCH_GRAPH_TOO_LARGE' }),
    );
    expect(() => estimateMemory(shape, { ...launch, parallel: 10 })).not.toThrow();
  });

  test('Nemotron Super on two GPUs, the first of which gets only layers without attention', () => {
    const shape = shapeOf(profile('deci-nemotron-super-49b.Q4_K_M'));
    const launch = { ...metal, accelerator: 'cuda', cpuArch: 'x86', gpus: 2 } as const;
    expect(() => estimateMemory(shape, { ...launch, gpuLayers: 40 })).toThrow(/no layer on GPU 0 .* empty cache/);
    expect(() => estimateMemory(shape, launch)).not.toThrow();
  });
});

describe('files on which llama.cpp aborts', () => {
  const qwen3 = profile('qwen3-embedding-0.6b.Q8_0');

  test('Qwen 3 that rotates half of each head', () => {
    const half: Profile = { ...qwen3, metadata: [...qwen3.metadata, ['qwen3.rope.dimension_count', 64, 'u32']] };
    expect(() => shapeOf(half)).toThrow(
      expect.objectContaining({
        code: 'MODEL_ROPE_INVALID',
        message: expect.stringContaining('64') as unknown as string,
      }),
    );
    expect(() => shapeOf(qwen3)).not.toThrow();
  });

  test('Trinity with windows of no size', () => {
    const afmoe = profile('afmoe-trinity-mini-26b.Q4_K_M');
    const metadata = afmoe.metadata.map((entry) =>
      entry[0].endsWith('sliding_window') ? ([entry[0], 0, 'u32'] as const) : entry,
    );
    expect(() => shapeOf({ ...afmoe, metadata } as Profile)).toThrow(
      expect.objectContaining({ code: 'MODEL_COUNT_INVALID' }),
    );
  });

  test('Gemma 3 with windows in no layer', () => {
    const gemma = profile('gemma-3-4b.Q5_K_M');
    const pattern = ['gemma3.attention.sliding_window_pattern', 1, 'u32'] as const;
    expect(() => shapeOf({ ...gemma, metadata: [...gemma.metadata, pattern] })).toThrow(/is_swa_any/);
  });

  test('Falcon H1 without the bias of its convolutions', () => {
    const falcon = profile('falcon-h1-falcon-h1-0.5b.Q8_0');
    const tensors = falcon.tensors.filter(({ name }) => !name.endsWith('ssm_conv1d.bias'));
    expect(() => estimateMemory(shapeOf({ ...falcon, tensors }), metal)).toThrow(
      expect.objectContaining({ code: 'MODEL_TENSOR_MISSING' }),
    );
  });
});
