import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deploySource } from '../../../../src/lib/cli/deploy/deploy-source.js';

const OFFLINE = { offline: true, env: {} };
const HUB = 'https://huggingface.co';

describe('a source in the words of the API', () => {
  test.each([
    [`${HUB}/o/r-GGUF/resolve/main/m-Q4_K_M.gguf`, `${HUB}/o/r-GGUF/resolve/main/m-Q4_K_M.gguf`],
    [
      `${HUB}/o/r-GGUF/resolve/main/m-Q4_K_M.gguf?download=true`,
      `${HUB}/o/r-GGUF/resolve/main/m-Q4_K_M.gguf?download=true`,
    ],
    [`${HUB}/o/r-GGUF/blob/main/m-Q4_K_M.gguf`, `${HUB}/o/r-GGUF/resolve/main/m-Q4_K_M.gguf`],
    ['hf:o/r-GGUF/sub/m.gguf', `${HUB}/o/r-GGUF/resolve/main/sub/m.gguf`],
    ['file:///models/m.gguf', 'file:///models/m.gguf'],
    ['/models/m.gguf', '/models/m.gguf'],
    ['/models/m-00001-of-00002.gguf', '/models/m-00001-of-00002.gguf'],
    ['./m.gguf', resolve('m.gguf')],
    ['pvc://claim/m.gguf', 'pvc://claim/m.gguf'],
    ['s3://bucket/m.gguf', 's3://bucket/m.gguf'],
    ['https://host.example/m.gguf', 'https://host.example/m.gguf'],
  ])('%s is %s', async (text, source) => {
    expect(await deploySource(text, OFFLINE, 'llamacpp')).toEqual({ source });
  });

  test('a mirror of the hub is where the operator fetches from too', async () => {
    const env = { HF_ENDPOINT: 'https://mirror.example' };
    const { source } = await deploySource('hf:o/r-GGUF/m.gguf', { offline: true, env }, 'llamacpp');
    expect(source).toBe('https://mirror.example/o/r-GGUF/resolve/main/m.gguf');
  });

  test.each(['hf:o/r-GGUF/m-00001-of-00002.gguf', `${HUB}/o/r-GGUF/resolve/main/m-00001-of-00002.gguf`])(
    'a split model (%s) is its repository and the parts, the first of which is loaded',
    async (text) => {
      expect(await deploySource(text, OFFLINE, 'llamacpp')).toEqual({
        source: 'hf://o/r-GGUF',
        files: ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf'],
      });
    },
  );

  test.each([
    ['https://host.example/m-00001-of-00002.gguf', /split model/],
    [`${HUB}/o/r/resolve/v2/m-00001-of-00002.gguf`, /branch main only/],
  ])('%s cannot be deployed, with the reason', async (text, reason) => {
    await expect(deploySource(text, OFFLINE, 'llamacpp')).rejects.toThrow(reason);
  });
});
