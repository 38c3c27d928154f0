import { expect, test } from '@jest/globals';
import { parseServerArguments, parseServerEnvironment } from '../../../src/lib/runtime/server-arguments.js';

/** `common/arg.cpp` of llama.cpp v0.5.0. */
test.each([
  ['-mm p.gguf', { mmproj: 'p.gguf' }],
  ['--mmproj p.gguf', { mmproj: 'p.gguf' }],
  ['-mmu https://h/p.gguf', { mmproj: 'https://h/p.gguf' }],
  ['--no-mmproj', { mmprojAuto: false }],
  ['--no-mmproj-auto --mmproj-auto', { mmprojAuto: true }],
  ['--no-mmproj-offload', { mmprojOffload: false }],
  ['-mmdev none', { mmprojOffload: false }],
  ['--mmproj-device CUDA1', { mmprojOffload: true, mmprojDevice: 1, deviceNames: { '--mmproj-device': ['CUDA1'] } }],
  ['--image-min-tokens 64 --image-max-tokens 1024', { imageMinTokens: 64, imageMaxTokens: 1024 }],
  ['--mtmd-batch-max-tokens 2048', { mtmdBatchMaxTokens: 2048 }],
  ['--no-warmup', { warmup: false }],
])('%s', (words, options) => {
  expect(parseServerArguments(words.split(' '))).toEqual({ options, remarks: [], overrides: [] });
});

test('the environment names a projector, too', () => {
  const { options } = parseServerEnvironment({ LLAMA_ARG_MMPROJ: 'p.gguf', LLAMA_ARG_MMPROJ_OFFLOAD: 'off' });
  expect(options).toEqual({ mmproj: 'p.gguf', mmprojOffload: false });
});
