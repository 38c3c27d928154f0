import { describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  installedServer,
  parseServerVersion,
  type ServerProbe,
  serverVersion,
} from '../../../src/lib/host/installed-server.js';

/** A machine with these programs, each with what it prints for --version. */
function machine(
  programs: Readonly<Record<string, string>>,
  more: Partial<ServerProbe> = {},
): ServerProbe & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    env: { PATH: '/usr/bin:/usr/local/bin' },
    look: async (path) => (path in programs ? { size: 1, mtimeMs: 2 } : undefined),
    run: async (path) => {
      asked.push(path);
      return programs[path];
    },
    ...more,
  };
}

describe('llama-server says its version', () => {
  test.each([
    ['version: 9607 (6471e3c0)\nbuilt with cc', 'b9607'],
    ['version: 0.6.0-dev (build 11434, commit abc)', 'b11434'],
    ['version: 0.8.0 (build 1, commit unknown)', 'v0.8.0'],
    ['version: 0.8.0 (build 12032, commit abc)', 'v0.8.0'],
    ['version: 0.8.0-dev (build 0, commit unknown)', 'v0.8.0-dev'],
    ['usage: llama-server', undefined],
    ['version: 99999999999999999999 (abc)', undefined],
    ['version: 0.99999999999.0 (build 1, commit abc)', undefined],
  ])('%s is %s', (printed, version) => {
    expect(parseServerVersion(printed)).toBe(version);
  });
});

describe("this machine's llama-server", () => {
  test('is the first on the PATH', async () => {
    const probe = machine({ '/usr/local/bin/llama-server': 'version: 9607 (6471e3c0)' });
    expect(await installedServer(probe)).toEqual({ path: '/usr/local/bin/llama-server', version: 'b9607' });
  });

  test("is found in Homebrew's folder where the PATH lacks it", async () => {
    const probe = machine({ '/opt/homebrew/bin/llama-server': 'version: 0.8.0 (build 0, commit x)' });
    expect((await installedServer(probe))?.version).toBe('v0.8.0');
  });

  test('is the one that LLMKUBE_LLAMA_SERVER names', async () => {
    const programs = { '/usr/bin/llama-server': 'version: 9607 (a)', '/my/server': 'version: 9700 (b)' };
    const probe = machine(programs, { env: { PATH: '/usr/bin', LLMKUBE_LLAMA_SERVER: '/my/server' } });
    expect((await installedServer(probe))?.version).toBe('b9700');
  });

  test('is not asked again while its file stays the same', async () => {
    const cacheFile = join(await mkdtemp(join(tmpdir(), 'llmkube-')), 'cache/llama-server.json');
    const probe = machine({ '/usr/bin/llama-server': 'version: 9607 (a)' }, { cacheFile });
    await installedServer(probe);
    expect((await installedServer(probe))?.version).toBe('b9607');
    expect(probe.asked).toEqual(['/usr/bin/llama-server']);
    expect(await readFile(cacheFile, 'utf8')).toContain('b9607');
  });

  test('is the first even if it does not say its version, for that one would run', async () => {
    const programs = { '/usr/bin/llama-server': 'hello', '/usr/local/bin/llama-server': 'version: 9607 (a)' };
    expect(await installedServer(machine(programs))).toEqual({ path: '/usr/bin/llama-server', version: undefined });
  });

  test('that LLMKUBE_LLAMA_SERVER names and that is not there is never replaced by another', async () => {
    const programs = { '/usr/bin/llama-server': 'version: 9607 (a)' };
    const probe = machine(programs, { env: { PATH: '/usr/bin', LLMKUBE_LLAMA_SERVER: '/gone' } });
    await expect(installedServer(probe)).rejects.toThrow(/"\/gone" is no file, so it cannot be asked/);
  });

  test('that does not say its version keeps the check from being completed', async () => {
    await expect(serverVersion('/x', machine({ '/x': 'hello' }))).rejects.toThrow(/does not say which llama.cpp it is/);
  });
});
