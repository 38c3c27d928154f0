import { describe, expect, test } from '@jest/globals';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { planContext } from '../../../../src/lib/estimate/context/plan-context.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { requantise } from '../../../../src/lib/model/quantization/quant-recipe.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

function quantized(shape: ModelShape, ...names: readonly string[]): readonly ModelShape[] {
  return names.map((name) => requantise(shape, name) as ModelShape);
}

function computeOf(shape: ModelShape, launch: LaunchOptions) {
  return planContext(shape, launch).compute;
}

const METAL: LaunchOptions = { accelerator: 'metal', ctxSize: 8192, llamaCpp: 'b12032' };

describe('a launch that was planned before', () => {
  test('is not planned again with another prompt cache, and with another batch it is', async () => {
    const shape = await bundledShape('lfm2-1.2b', 'Q4_K_M');
    const before = computeOf(shape, METAL);
    expect(computeOf(shape, { ...METAL, cacheRamMiB: 0 })).toBe(before);
    expect(computeOf(shape, { ...METAL, ubatchSize: 64 })).not.toBe(before);
    expect(computeOf(shape, { ...METAL, gpuLayers: 4 })).not.toBe(before);
  });

  test('is another one with the experts of all layers on the host', async () => {
    const shape = await bundledShape('qwen-3-30b-a3b', 'Q4_K_M');
    const cuda: LaunchOptions = { accelerator: 'cuda', ctxSize: 8192 };
    const onGpu = (launch: LaunchOptions): number =>
      estimateMemory(shape, launch).parts.reduce((sum, { device, bytes }) => sum + (device === 'gpu' ? bytes : 0), 0);
    const whole = onGpu(cuda);
    expect(onGpu({ ...cuda, cpuMoeLayers: Infinity })).toBeLessThan(whole / 4);
    expect(onGpu({ ...cuda, cpuMoeLayers: 0 })).toBe(whole);
  });

  test('is not planned again for another quantization of which Metal looks at the same', async () => {
    const shape = await bundledShape('phi-4', 'Q4_K_M');
    const [small, plain] = quantized(shape, 'Q2_K', 'Q8_0') as [ModelShape, ModelShape];
    const before = computeOf(shape, METAL);
    expect(computeOf(small, METAL)).toBe(before);
    expect(computeOf(plain, METAL)).toBe(before);
    // Before b11435 few rows of Q2_K and Q3_K are multiplied by another kernel than those of Q4_K.
    const older: LaunchOptions = { ...METAL, llamaCpp: 'b11434' };
    expect(computeOf(small, older)).not.toBe(computeOf(shape, older));
  });

  test('is planned again for a quantization whose weights take more room where they are copied to the GPU', async () => {
    const shape = await bundledShape('phi-4', 'Q4_K_M');
    const [small] = quantized(shape, 'Q2_K') as [ModelShape];
    const launch: LaunchOptions = { accelerator: 'cuda', ctxSize: 8192, gpuLayers: 10 };
    const [more, less] = [shape, small].map((one) => computeOf(one, launch).bytes.gpus[0] as number);
    expect(less).toBeLessThan(more as number);
  });
});

const LAUNCHES: readonly LaunchOptions[] = [
  { accelerator: 'metal', ctxSize: 4096 },
  { accelerator: 'metal', ctxSize: 4096, gpuLayers: 7 },
  { accelerator: 'metal', ctxSize: 4096, gpuLayers: 7, kvOffload: false, llamaCpp: 'v0.5.0' },
  { accelerator: 'cpu', ctxSize: 4096, parallel: 1 },
  { accelerator: 'cuda', ctxSize: 4096 },
  { accelerator: 'cuda', ctxSize: 4096, gpuLayers: 9, parallel: 1 },
  { accelerator: 'cuda', ctxSize: 4096, cpuMoeLayers: 11 },
  { accelerator: 'vulkan', ctxSize: 4096, gpuLayers: 9 },
];

test.each([
  ['llama-3.2-3b', 'Q5_K_M'],
  ['gemma-3-4b', 'Q5_K_M'],
  ['lfm2-1.2b', 'Q4_K_M'],
  ['qwen-3-30b-a3b', 'Q4_K_M'],
])(
  'quantizations of %s take one after another what each of them takes with every layer planned',
  async (id, quantization) => {
    const shape = await bundledShape(id, quantization);
    const shapes = [shape, ...quantized(shape, 'Q8_0', 'Q4_K_S', 'Q3_K_M', 'IQ4_XS', 'Q2_K')];
    for (const launch of LAUNCHES)
      expect(shapes.map((one) => estimateMemory(one, launch).parts)).toEqual(
        shapes.map((one) => estimateMemory(one, launch, { everyLayer: true }).parts),
      );
  },
);
