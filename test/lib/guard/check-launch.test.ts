import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { checkLaunch } from '../../../src/lib/guard/check-launch.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';
import { temporaryFolder } from '../../support/sparse-file.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const ROOM = { host: { source: 'given', totalBytes: 2 ** 36, inUseBytes: 0, notes: [] }, policy: {} } as const;

test('files of a command line lie in the folder that it is run in, what is loaded beside the model too', async () => {
  const at = (name: string): string => join(folder.path, name);
  for (const name of ['tiny.gguf', 'draft.gguf']) await writeTinyModel(at(name));
  const words = ['-m', 'tiny.gguf', '--spec-draft-model', 'draft.gguf', '--spec-type', 'draft-simple'];
  const reading = { cacheDir: at('cache'), env: {} };
  const request = { words, env: {}, cwd: folder.path, accelerator: 'cpu', cacheDir: at('cache'), reading } as const;
  const { verdict, launch, named } = await checkLaunch(request, ROOM);
  expect(verdict.kind).toBe('fits');
  expect([launch.draft, named?.draft?.source]).toEqual([at('draft.gguf'), at('draft.gguf')]);
});
