import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { bigModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { type CliResult, cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

describe('a signal while a header is read', () => {
  let server: RangeServer;
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeEach(async () => {
    [server, cache] = await Promise.all([RangeServer.start(), temporaryFolder()]);
    server.serve('/model.gguf', bigModel()).fail('/model.gguf', { kind: 'stall', afterBytes: 100_000 });
  });

  afterEach(async () => {
    await Promise.all([server.close(), cache.remove()]);
  });

  async function interrupted(
    signal: NodeJS.Signals | 'SIGTERM twice',
    command: string,
    ...args: string[]
  ): Promise<CliResult> {
    let child: ChildProcess | undefined;
    const env = cliEnvironment({ LLMKUBE_CACHE_DIR: cache.path });
    const words = [RUN_JS, command, server.url('/model.gguf'), '--accelerator', 'cpu', ...args];
    const ended = run(process.execPath, words, env, (started) => (child = started));
    while ((server.requests[0]?.bodyBytes ?? 0) < 100_000) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const sent of signal === 'SIGTERM twice' ? (['SIGTERM', 'SIGTERM'] as const) : [signal]) child?.kill(sent);
    return ended;
  }

  test.each<[NodeJS.Signals, string, number]>([
    ['SIGINT', 'Ctrl-C', 130],
    ['SIGTERM', 'SIGTERM', 143],
  ])('%s ends the program at once, with one line and nothing kept', async (signal, name, exitCode) => {
    expect(await interrupted(signal, 'check-memory')).toEqual({
      stdout: '',
      stderr: `Error: stopped by ${name} before everything was read; nothing was changed\n`,
      exitCode,
    });
    expect(server.requests).toHaveLength(1);
    expect(await readdir(cache.path)).toEqual([]);
  });

  test('a second one, at once, changes nothing', async () => {
    const { stdout, exitCode } = await interrupted('SIGTERM twice', 'check-memory');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 143 });
    expect(await readdir(cache.path)).toEqual([]);
  });

  test('is in the JSON', async () => {
    const { stdout, stderr, exitCode } = await interrupted('SIGINT', 'check-memory', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INTERRUPTED', suggestions: [] } });
    expect(stderr).toBe('');
    expect(exitCode).toBe(130);
  });

  test('deploys nothing, not even without a check that refuses', async () => {
    const args = ['--memory-check', 'warn', '--dry-run', 'client'];
    const { stdout, exitCode } = await interrupted('SIGINT', 'deploy', ...args);
    expect(stdout).toBe('');
    expect(exitCode).toBe(130);
  });
});
