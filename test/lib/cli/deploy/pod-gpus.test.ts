import { expect, test } from '@jest/globals';
import { podGpus } from '../../../../src/lib/cli/deploy/pod-gpus.js';

test.each([
  [{}, 1],
  [{ 'gpu-memory': [24] }, 1],
  [{ 'gpu-count': 2 }, 2],
  [{ gpus: 3 }, 3],
  [{ 'gpu-memory': [24, 24] }, 2],
  [{ 'gpu-count': 2, gpus: 2, 'gpu-memory': [24, 24] }, 2],
])('a pod asks for the GPUs that are checked: %j', (flags, count) => {
  expect(podGpus(flags)).toBe(count);
});

test.each([
  [{ 'gpu-count': 1, gpus: 2 }, '--gpu-count says 1 GPUs and --gpus 2'],
  [{ gpus: 2, 'gpu-memory': [24, 24, 8] }, '--gpus says 2 GPUs and the amounts of --gpu-memory 3'],
])('and no other number: %j', (flags, message) => {
  expect(() => podGpus(flags)).toThrow(expect.objectContaining({ code: 'CONTRADICTION', message }));
});
