import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ModelStore } from '../../../../src/lib/agent/store/model-store.js';
import { RangeServer } from '../../../support/servers/range-server.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { aModel } from '../objects.js';

let folder: { path: string; remove: () => Promise<void> };
let server: RangeServer;
beforeEach(async () => {
  folder = await temporaryFolder();
  server = await RangeServer.start();
});
afterEach(async () => {
  await server.close();
  await folder.remove();
});

test('the digest of a Model is that of its model, not of the projector beside it', async () => {
  for (const name of ['m', 'p']) {
    const body = Buffer.from(`the file ${name}`);
    server.handle(`/${name}.gguf`, (_, response) => void response.end(body));
  }
  const sha256 = createHash('sha256').update('the file m').digest('hex');
  const model = { ...aModel(), spec: { ...aModel().spec, source: server.url('/m.gguf'), mmproj: 'p.gguf', sha256 } };
  const options = { folder: folder.path, allowedRoots: [], allowedHosts: ['127.0.0.1'], cacheDir: '', env: {} };
  const store = new ModelStore(options, {} as never);
  const { signal } = new AbortController();
  const located = await store.locate(model, signal);
  expect(located.missing).toHaveLength(2);
  await store.fetch(model, located, signal);
  expect(readFileSync(located.projectorPath ?? '', 'utf8')).toBe('the file p');
  expect((await store.locate(model, signal)).missing).toEqual([]);
});
