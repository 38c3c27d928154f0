import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deploySource, deploySourceWithFiles } from '../../../../src/lib/cli/deploy/deploy-source.js';

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

describe('what is staged with a model', () => {
  const model = `${HUB}/o/r-GGUF/resolve/main/sub/m-Q4_K_M.gguf`;
  const staged = (files: { mmproj?: string; draft?: string }, isMac = false) =>
    deploySourceWithFiles(model, files, OFFLINE, 'llamacpp', isMac);

  test('is taken from the repository of the model, the draft among its files', async () => {
    const mmproj = `${HUB}/o/r-GGUF/resolve/main/mmproj-f16.gguf`;
    expect(await staged({ mmproj, draft: 'hf:o/r-GGUF/sub/mtp-m.gguf' })).toEqual({
      source: 'hf://o/r-GGUF',
      files: ['sub/m-Q4_K_M.gguf', 'sub/mtp-m.gguf'],
      mmproj: 'mmproj-f16.gguf',
      draftModel: 'sub/mtp-m.gguf',
    });
  });

  test('is found beside the address of the model on a Mac, whose agents fetch no repository', async () => {
    expect(await staged({ mmproj: 'hf:o/r-GGUF/mmproj-f16.gguf' }, true)).toEqual({
      source: model,
      mmproj: '../mmproj-f16.gguf',
    });
  });

  test.each([
    [{ mmproj: 'hf:o/other/mmproj.gguf' }, 'PROJECTOR_ELSEWHERE'],
    [{ draft: 'hf:o/other/d.gguf' }, 'DRAFT_ELSEWHERE'],
  ])('cannot come from elsewhere (%j)', async (files, code) => {
    await expect(staged(files)).rejects.toMatchObject({ code });
  });
});
