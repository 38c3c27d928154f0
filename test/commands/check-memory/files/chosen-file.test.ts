import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RangeServer } from '../../../support/servers/range-server.js';
import { runCli } from '../../../support/run-cli.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { writeTinyModel } from '../../../support/models/tiny-model.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

describe('of a repository with two models of one quantization', () => {
  let hub: RangeServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const check = (...args: string[]) =>
    runCli(
      ['check-memory', ...args, '--accelerator', 'metal', '--system-memory', '16Gi', '--in-use', '4Gi', '--no-mmproj'],
      { HF_ENDPOINT: hub.origin },
    );

  beforeAll(async () => {
    [hub, folder] = await Promise.all([RangeServer.start(), temporaryFolder()]);
    const path = join(folder.path, 'tiny.gguf');
    await writeTinyModel(path);
    const start = new Uint8Array(await readFile(path));
    const names = ['A-1B-Q4_K_M.gguf', 'B-7B-Q4_K_M.gguf'];
    hub.json('/api/models/u/x-GGUF/revision/main', {
      sha: COMMIT,
      siblings: names.map((rfilename) => ({ rfilename, size: start.length })),
    });
    for (const name of names)
      hub.serve(`/u/x-GGUF/resolve/${COMMIT}/${name}`, { start, size: start.length, etag: '"1"' });
  });
  afterAll(() => Promise.all([hub.close(), folder.remove()]));

  test('people are told which was read, and that there is another', async () => {
    const { stdout, exitCode } = await check('hf:u/x-GGUF');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('A-1B-Q4_K_M.gguf was read; the repository has 1 more');
  });

  test('programs are told the file and its commit', async () => {
    const { stdout } = await check('hf:u/x-GGUF', '--json');
    const { source } = JSON.parse(stdout) as { source: { file: string; commit: string } };
    expect([source.file, source.commit]).toEqual(['A-1B-Q4_K_M.gguf', COMMIT]);
  });
});
