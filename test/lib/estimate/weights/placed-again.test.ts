import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { Placement } from '../../../../src/lib/estimate/weights/placement.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const shapeOf = (profile: string): ModelShape => describeModel(profileHeader(readProfile(join(PROFILES, profile))));

const GPU = { accelerator: 'cuda', cpuArch: 'x86', gpuLayers: 99 } as const;
const LAUNCHES: readonly LaunchOptions[] = [
  GPU,
  { ...GPU, gpuLayers: 5 },
  { ...GPU, gpuLayers: 6 },
  { ...GPU, cpuMoeLayers: 3 },
  { ...GPU, gpuLayers: 6, cpuMoeLayers: 40 },
  { ...GPU, gpuLayers: 6, tensorOverrides: [{ pattern: 'ffn_down', buffer: 'CUDA0' }] },
  { ...GPU, gpuLayers: 6, mmap: false },
  { ...GPU, gpus: 2, tensorSplit: [1, 3] },
  { ...GPU, gpus: 2, tensorSplit: [3, 1] },
  { ...GPU, accelerator: 'cpu', mlock: true },
];

function weightsOf(shape: ModelShape, launch: LaunchOptions) {
  const placement = Placement.of(shape, launch);
  return { ...placement.bytes(), ...placement.leastBytes(), count: placement.tensorCount };
}

test.each(['qwen3-30b-a3b.Q4_K_M.json', 'llama-3.1-8b.Q4_K_M.json'])(
  'weights of %s lie as they would if the model had not been placed otherwise before',
  (profile) => {
    const shape = shapeOf(profile);
    const again = LAUNCHES.map((launch) => weightsOf(shape, launch));
    expect(again).toEqual(LAUNCHES.map((launch) => weightsOf(shapeOf(profile), launch)));
  },
);

test('one layer more on the GPU takes the copies of its weights there, and leaves the host as much less to hold', () => {
  const shape = shapeOf('llama-3.1-8b.Q4_K_M.json');
  const [, few, more] = LAUNCHES.map((launch) => weightsOf(shape, launch));
  const block = [...shape.tensors.values()].filter(({ name }) => name.startsWith('blk.27.'));
  const bytes = block.reduce((sum, tensor) => sum + tensor.bytes, 0);
  expect((few?.onHost ?? 0) - (more?.onHost ?? 0)).toBe(bytes);
  expect((more?.copied.gpus[0] ?? 0) - (few?.copied.gpus[0] ?? 0)).toBe(bytes);
});
