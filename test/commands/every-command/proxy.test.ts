import { expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { runCli } from '../../support/run-cli.js';

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
