import { describe, expect, test } from '@jest/globals';
import { combineLaunch } from '../../../src/lib/runtime/combine-launch.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { launchWords } from '../../../src/lib/runtime/launch-words.js';

const read = (words: readonly string[], launch: LaunchOptions): LaunchOptions =>
  combineLaunch({
    accelerator: launch.accelerator,
    defaults: {},
    flags: launch.llamaCpp === undefined ? {} : { llamaCpp: launch.llamaCpp },
    // A text may hold several words, and one of these may hold a space.
    extraArgs: words.map((word) => `'${word}'`),
  }).launch;

describe('the words of a launch are read as the same launch', () => {
  test.each<LaunchOptions>([
    { accelerator: 'metal', ctxSize: 32768, parallel: 2, kvUnified: true, gpuLayers: 20 },
    { accelerator: 'cuda', cacheTypeK: 'q8_0', cacheTypeV: 'q8_0', flashAttn: 'on', batchSize: 512, ubatchSize: 256 },
    { accelerator: 'cuda', splitMode: 'row', tensorSplit: [3, 1], mainGpu: 1, devices: [0, 1] },
    { accelerator: 'cuda', tensorOverrides: [{ pattern: 'blk\\.(1|2)\\.ffn_.*', buffer: 'CPU' }], noHost: true },
    { accelerator: 'cuda', cpuMoeLayers: 12, kvOffload: false, opOffload: false },
    { accelerator: 'cpu', cpuMoeLayers: Infinity, mmap: false, repack: false, mode: 'embedding' },
    { accelerator: 'cpu', mmap: false, llamaCpp: 'b9453', mode: 'rerank' },
    { accelerator: 'metal', cacheRamMiB: -1, ctxCheckpoints: 0, swaFull: true, kvUnified: false, parallel: 4 },
    { accelerator: 'metal', mmprojAuto: false, imageMinTokens: 64, imageMaxTokens: 512, warmup: false },
    { accelerator: 'cuda', mmprojOffload: false, mtmdBatchMaxTokens: 256, fit: false },
    { accelerator: 'cuda', fitTargetMiB: [512, 2048], fitCtx: 8192 },
    {
      accelerator: 'cuda',
      draft: '/d.gguf',
      specTypes: ['draft-simple'],
      draftMax: 8,
      draftUbatchSize: 64,
      draftGpuLayers: 3,
    },
    { accelerator: 'metal', draft: 'hf:o/r/sub/d.gguf', draftCacheTypeK: 'q8_0', draftDevice: 'none' },
    { accelerator: 'metal', draft: 'hf:o/r:Q8_0', adapters: ['a.gguf', 'b.gguf'], adapterScale: 1 },
    { accelerator: 'metal', controlVectors: ['v.gguf', 'w.gguf'] },
    { accelerator: 'metal', ropeScaling: 'yarn', ropeFreqScale: 0.25, yarnOrigCtx: 8192, flashAttn: 'off' },
    { accelerator: 'cuda', mmprojOffload: true, mmprojDevice: 1, devices: [] },
    { accelerator: 'metal', draft: 'hf:o/r', draftCacheTypeV: 'q4_0', backendSampling: false, ngramMax: 32 },
    { accelerator: 'cuda', llamaCpp: 'b12032', expertCacheMiB: 2048, cpuMoeLayers: Infinity },
    { accelerator: 'metal', adapters: ['a.gguf', 'b.gguf'], adapterScale: 0 },
    { accelerator: 'metal', gpuLayers: -2, mmap: true },
    { accelerator: 'metal', draft: 'https://host/d.gguf', draftGpuLayers: 0 },
  ])('%j', (launch) => {
    expect(read(launchWords(launch, []), launch)).toEqual(launch);
  });
});

test('an option that is given in llama-server’s own words is said by them alone', () => {
  const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 16384, parallel: 2 };
  expect(launchWords(launch, ['-c', '16384', '--jinja'])).toEqual(['--parallel', '2', '-c', '16384', '--jinja']);
  const split: LaunchOptions = { accelerator: 'cuda', devices: [1, 0], splitMode: 'row' };
  expect(launchWords(split, ['-dev', 'CUDA1,CUDA0'])).toEqual(['--split-mode', 'row', '-dev', 'CUDA1,CUDA0']);
});

test('an option that its own words say otherwise is said after them; what adds up is said once', () => {
  const launch: LaunchOptions = {
    accelerator: 'metal',
    ctxSize: 4096,
    adapters: ['a.gguf', 'b.gguf'],
    adapterScale: 1,
  };
  const words = ['-c', '16384', '--lora', 'b.gguf'];
  expect(launchWords(launch, words)).toEqual(['--lora', 'a.gguf', ...words, '--ctx-size', '4096']);
});

test('not mapping the file is spelled as the version has it', () => {
  const launch = { accelerator: 'cpu', mmap: false } as const;
  expect(launchWords({ ...launch, llamaCpp: 'b9453' }, [])).toEqual(['--no-mmap']);
  expect(launchWords({ ...launch, llamaCpp: 'v0.5.0' }, [])).toEqual(['--load-mode', 'none']);
});

test.each<[Partial<LaunchOptions>, string, string[]]>([
  [{ mlock: true }, 'b9453', ['--mlock']],
  [{ mlock: true }, 'v0.5.0', ['--load-mode', 'mmap+mlock']],
  [{ mlock: true, mmap: true }, 'v0.5.0', ['--load-mode', 'mmap+mlock']],
  [{ mlock: true, mmap: false }, 'v0.5.0', ['--load-mode', 'mlock']],
])('%j is spelled as %s has it', (launch, llamaCpp, words) => {
  expect(launchWords({ accelerator: 'cpu', llamaCpp, ...launch }, [])).toEqual(words);
});
