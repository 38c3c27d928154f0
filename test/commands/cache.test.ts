import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CacheFolder } from '../../src/lib/source/cache/cache-folder.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';

describe('llmkube cache', () => {
  let home: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder: CacheFolder;
  const llmkube = (...args: string[]) => runCli(['cache', ...args], { LLMKUBE_CACHE_DIR: home.path });

  beforeEach(async () => {
    home = await temporaryFolder();
    folder = new CacheFolder(home.path);
    await folder.write('key', { padding: 'x'.repeat(2030) });
  });

  afterEach(async () => {
    await home.remove();
  });

  test('info says where, how many and how much', async () => {
    expect(await llmkube('info')).toEqual({
      stdout: `${join(home.path, 'headers-v1')}\nentries: 1\nsize: 2.1KB\n`,
      stderr: '',
      exitCode: 0,
    });
    const { stdout, exitCode } = await llmkube('info', '--json');
    expect(JSON.parse(stdout)).toEqual({ path: folder.path, entries: 1, bytes: 65 + 2044 });
    expect(exitCode).toBe(0);
  });

  test('clear of a folder that is a file says so', async () => {
    const file = join(home.path, 'file');
    writeFileSync(file, '');
    const { stderr, exitCode } = await runCli(['cache', 'clear'], { LLMKUBE_CACHE_DIR: file });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('cannot be emptied')]);
    expect(stderr).not.toContain('unexpected');
  });

  test('clear forgets all', async () => {
    expect(await llmkube('clear')).toEqual({
      stdout: `emptied ${folder.path}\nentries removed: 1\n`,
      stderr: '',
      exitCode: 0,
    });
    expect(JSON.parse((await llmkube('clear', '--json')).stdout)).toEqual({
      removed: { path: folder.path, entries: 0, bytes: 0 },
    });
  });
});
