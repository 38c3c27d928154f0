import { afterEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { CLUSTER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { cliEnvironment, run, runCli, RUN_JS } from '../../support/run-cli.js';

test('what is read from an https address goes through the proxy of the environment', async () => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      asked.push(data.toString('latin1').split('\r\n')[0] ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = proxy.address() as AddressInfo;
    const words = ['check-memory', 'https://models.example/m-Q4_K_M.gguf', '--accelerator', 'cpu', '--json'];
    const { stdout, stderr, exitCode } = await runCli(words, {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      LLMKUBE_CACHE_DIR: '/nowhere',
    });
    expect(asked[0]).toBe('CONNECT models.example:443 HTTP/1.1');
    expect([exitCode, stderr]).toEqual([3, '']);
    expect(stdout).not.toContain('unexpected');
  } finally {
    proxy.close();
  }
});

describe('a proxy that', () => {
  const { 'never answers': silent, 'drips headers': drips } = CLUSTER_MODES;
  let proxy: HostileServer | undefined;
  afterEach(() => proxy?.close());

  test.each([
    ['never answers CONNECT', silent],
    ['does not finish its answer to CONNECT', drips],
  ])('%s keeps no command from ending once it has said so', async (_, mode) => {
    proxy = await HostileServer.start(mode);
    const env = { HTTPS_PROXY: proxy.url, LLMKUBE_CACHE_DIR: '/nowhere' };
    const { stderr, exitCode } = await runCli(
      ['inspect', 'https://models.example/m-Q4_K_M.gguf', '--read-timeout', '2s'],
      env,
    );
    expect(proxy.requestCount).toBeGreaterThan(0);
    expect(stderr).toMatch(/^Error: reading was not finished within 2 s/);
    expect(exitCode).toBe(3);
  });

  test('never answers CONNECT keeps no signal from ending a command', async () => {
    let child: ChildProcess | undefined;
    proxy = await HostileServer.start(() => child?.kill('SIGTERM'));
    const env = cliEnvironment({ HTTPS_PROXY: proxy.url, LLMKUBE_CACHE_DIR: '/nowhere' });
    const words = [RUN_JS, 'inspect', 'https://models.example/m-Q4_K_M.gguf'];
    expect(await run(process.execPath, words, env, (started) => (child = started))).toEqual({
      stdout: '',
      stderr: 'Error: stopped by SIGTERM before everything was read; nothing was changed\n',
      exitCode: 143,
    });
  });
});
