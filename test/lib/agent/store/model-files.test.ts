import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelFiles } from '../../../../src/lib/agent/store/model-files.js';
import { hubFrom } from '../../../../src/lib/source/hub/hub-urls.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { aModel } from '../objects.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const filesOf = (source: string, more: { mmproj?: string } = {}, draft?: string, allowedRoots = [folder.path]) => {
  const model = aModel();
  const rules = { folder: join(folder.path, 'store'), allowedRoots };
  return modelFiles({ ...model, spec: { ...model.spec, source, ...more } }, rules, hubFrom({}), {} as never, draft);
};

test('projector and draft are files beside the model, where it is fetched from', async () => {
  const { remote, projectorPath, draftPath } = await filesOf('https://host/a/m.gguf', { mmproj: 'p.gguf' }, 'd.gguf');
  expect(remote.map(({ url }) => url.href)).toEqual([
    'https://host/a/m.gguf',
    'https://host/a/p.gguf',
    'https://host/a/d.gguf',
  ]);
  expect(remote.map(({ path }) => path).slice(1)).toEqual([projectorPath, draftPath]);
});

test('and where it lies, under the same roof', async () => {
  for (const name of ['m.gguf', 'd.gguf']) writeFileSync(join(folder.path, name), '');
  const model = join(folder.path, 'm.gguf');
  expect(await filesOf(model, {}, 'd.gguf')).toMatchObject({
    modelPath: model,
    draftPath: join(folder.path, 'd.gguf'),
  });
  await expect(filesOf(model, {}, '../../../etc/passwd')).rejects.toThrow('lies outside of the folders');
  await expect(filesOf(model, {}, 'missing.gguf')).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
});

test('a folder whose name only begins like an allowed one is not that', async () => {
  const beside = await temporaryFolder();
  try {
    const allowed = join(beside.path, 'models');
    const file = join(`${allowed}-of-others`, 'm.gguf');
    mkdirSync(allowed);
    mkdirSync(dirname(file));
    writeFileSync(file, '');
    await expect(filesOf(file, {}, undefined, [allowed])).rejects.toThrow('lies outside of the folders');
  } finally {
    await beside.remove();
  }
});

test.each(['http://[', 'file:///etc/passwd', 's3://models/p.gguf'])(
  'a projector %s is refused in a sentence',
  async (mmproj) => {
    await expect(filesOf('https://host/a/m.gguf', { mmproj })).rejects.toMatchObject({
      code: 'MODEL_SOURCE_NOT_ALLOWED',
      message: expect.stringContaining('is no file beside') as unknown,
    });
  },
);
