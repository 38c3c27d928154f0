import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** 32 layers and the output head; each layer's f16 cache of 8192 tokens takes 32 MiB. */
const shape = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));

const estimated = (more: Partial<LaunchOptions>) =>
  estimateMemory(shape, { llamaCpp: 'v0.5.0', accelerator: 'cuda', cpuArch: 'x86', ctxSize: 8192, ...more });

/** Layers with a cache on each GPU. */
const layersOn = (more: Partial<LaunchOptions>): readonly number[] => {
  const { parts } = estimated(more);
  const cache = parts.filter(({ name, device }) => name === 'kv-cache' && device === 'gpu');
  const layers: number[] = [];
  for (const { gpu = 0, bytes } of cache) layers[gpu] = bytes / (32 * MIB);
  return Array.from(layers, (count = 0) => count);
};

const memory = (...free: number[]) => ({
  gpus: free.length,
  gpuMemory: free.map((gib) => ({ totalBytes: gib * GIB, freeBytes: gib * GIB })),
});

const ONE_OF_TWO = { gpus: 3, devices: [1, 2], splitMode: 'none', mainGpu: 1 } as const;

describe('layers are split', () => {
  test.each<[string, Partial<LaunchOptions>, readonly number[]]>([
    // 33 with the output head: the first takes those whose position, counted from 0, is below its share
    ['in halves', { gpus: 2 }, [17, 15]],
    ['by free memory', memory(24, 8), [25, 7]],
    ['by the shares given', { ...memory(24, 24), tensorSplit: [1, 3] }, [9, 23]],
    ['onto one GPU', { gpus: 2, splitMode: 'none', mainGpu: 1 }, [0, 32]],
    // A third of 33 layers ends where the first GPU's third does, in single precision: the twelfth is the second GPU's.
    ['in thirds', { gpus: 3 }, [11, 11, 10]],
    ['onto one of the devices named, counted among them', ONE_OF_TWO, [0, 0, 32]],
    ['onto the devices named', { gpus: 3, devices: [0, 2] }, [17, 0, 15]],
    ['from the last layers on where not all are offloaded', { gpus: 2, gpuLayers: 11 }, [6, 4]],
  ])('%s', (_how, launch, layers) => {
    expect(layersOn(launch)).toEqual(layers);
  });
});

describe('several GPUs', () => {
  test.each<[string, Partial<LaunchOptions>, string]>([
    ['rows are refused', { gpus: 2, splitMode: 'row' }, 'refuses --split-mode row'],
    ['a main GPU that is not there is refused', { splitMode: 'none', mainGpu: 1 }, 'numbered 0 to 0'],
    ['a device that is not there is refused', { ...memory(24, 16), devices: [0, 2] }, '--device CUDA2: the GPUs are'],
    ['tensors are not described', { gpus: 2, splitMode: 'tensor' }, 'is not described'],
  ])('%s', (_what, launch, message) => {
    expect(() => estimated(launch)).toThrow(message);
  });

  test('each have an overhead by the size of the card', () => {
    const { parts } = estimated(memory(24, 80));
    const overhead = parts.filter(({ name, device }) => name === 'runtime-overhead' && device === 'gpu');
    // the context, 84 MiB, and for prompts 14336 x 512 x 36 / 32 bytes and 64 KiB for each multiprocessor, in pages of 2 MiB
    expect(overhead.map(({ gpu, bytes, accuracy }) => [gpu, bytes / MIB, accuracy])).toEqual([
      [0, 410 + 84 + 16, 'modelled'],
      [1, 524 + 84 + 18, 'modelled'],
    ]);
  });

  test('with one pool of memory the file is read, not mapped', () => {
    const weights = (launch: Partial<LaunchOptions>): readonly string[] =>
      estimated(launch).parts.flatMap(({ name, device }) => (name.startsWith('weights') ? `${name} ${device}` : []));
    expect(weights({})).toEqual(['weights host', 'weights-copy gpu']);
    expect(weights({ unifiedMemory: true })).toEqual(['weights-copy gpu', 'weights-copy host']);
    expect(totalBytes(estimated({ unifiedMemory: true, mmap: true }))).toBe(totalBytes(estimated({})));
  });

  test('ROCm takes CUDA’s rules and says that they were not measured', () => {
    const cuda = estimated({ gpus: 2 }).parts;
    const rocm = estimated({ gpus: 2, accelerator: 'rocm' }).parts;
    expect(rocm).toEqual(cuda.map((part) => ({ ...part, accuracy: 'modelled' })));
  });
});

test('a GPU that is named twice, of which llama.cpp makes two that share an allocator, is not guessed at', () => {
  expect(() => estimated({ ...memory(24, 24), devices: [1, 0, 1] })).toThrow(
    'What llama.cpp allocates where --device names CUDA1 twice is not described here; name each once',
  );
});
