import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCli } from '../../support/run-cli.js';

let server: Server | undefined;
afterEach(() => void server?.close());

/** Something that listens where an agent would, and answers this. */
async function listening(answer: string): Promise<string> {
  const started = createServer((request, response) =>
    response.end(request.url === '/readyz' ? answer : 'no such path'),
  );
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return String((started.address() as AddressInfo).port);
}

test.each([
  ['ok', 0],
  ['the cluster does not answer', 1],
])('an agent of this machine that answers "%s" ends its status with %d', async (answer, exitCode) => {
  const port = await listening(answer);
  const { stdout, exitCode: ended } = await runCli(['agent', 'status', '--port', port]);
  expect(stdout).toContain(`installed: no\nanswers on port ${port}: ${answer}\n`);
  expect(ended).toBe(exitCode);
});

test('where nobody listens, that is said, with exit code 1', async () => {
  const port = await listening('ok');
  await new Promise((resolve) => server?.close(resolve));
  const { stdout, exitCode } = await runCli(['agent', 'status', '--port', port]);
  expect(stdout).toContain(`answers on port ${port}: no\n`);
  expect(exitCode).toBe(1);
});
