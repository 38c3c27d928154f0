import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheFolder } from '../../../src/lib/source/cache-folder.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const RUN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));

describe('llmkube cache', () => {
  let home: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder: CacheFolder;
  const llmkube = (...args: string[]) => {
    const env = { ...process.env, LLMKUBE_CACHE_DIR: home.path, NODE_OPTIONS: '' };
    const { stdout, stderr, status } = spawnSync(process.execPath, [RUN, 'cache', ...args], { env, encoding: 'utf8' });
    return { stdout, stderr, status };
  };

  beforeEach(async () => {
    home = await temporaryFolder();
    folder = new CacheFolder(home.path);
    await folder.write('key', { padding: 'x'.repeat(2030) });
  });

  afterEach(async () => {
    await home.remove();
  });

  test('info says where, how many and how much', () => {
    expect(llmkube('info')).toEqual({
      stdout: `${join(home.path, 'headers-v1')}\nentries: 1\nsize: 2 KiB\n`,
      stderr: '',
      status: 0,
    });
    const { stdout, status } = llmkube('info', '--json');
    expect(JSON.parse(stdout)).toEqual({ path: folder.path, entries: 1, bytes: 2044 });
    expect(status).toBe(0);
  });

  test('clear forgets all', () => {
    expect(llmkube('clear')).toEqual({
      stdout: `emptied ${folder.path}\nentries removed: 1\n`,
      stderr: '',
      status: 0,
    });
    expect(JSON.parse(llmkube('clear', '--json').stdout)).toEqual({
      removed: { path: folder.path, entries: 0, bytes: 0 },
    });
  });
});
