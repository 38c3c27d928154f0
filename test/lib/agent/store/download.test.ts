import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download } from '../../../../src/lib/agent/store/download.js';
import { createNetwork } from '../../../../src/lib/source/session.js';
import { cliEnvironment, run } from '../../../support/run-cli.js';
import { RangeServer } from '../../../support/servers/range-server.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

const dist = (file: string): string => fileURLToPath(new URL(`../../../../dist/lib/${file}`, import.meta.url));

let folder: { path: string; remove: () => Promise<void> };
let server: RangeServer;
let network: ReturnType<typeof createNetwork>;
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const sha256 = createHash('sha256').update(bytes).digest('hex');

beforeEach(async () => {
  folder = await temporaryFolder();
  server = await RangeServer.start();
  network = createNetwork({ env: {} });
  server.serve('/m.gguf', { start: bytes, etag: '"v1"' });
});
afterEach(async () => {
  network.close();
  await server.close();
  await folder.remove();
});

const path = (): string => join(folder.path, 'm.gguf');
const fetchIt = (
  digest?: string,
  credential?: { origin: string; authorization: string },
  signal = new AbortController().signal,
) =>
  download(
    { url: new URL(server.url('/m.gguf')), path: path() },
    {
      credential,
      context: { network, meter: { requests: 0, bytes: 0 }, signal },
      sha256: digest,
    },
  );

describe('a model that is fetched', () => {
  test.each(['.partial', '.partial.etag'])('is not written to what %s is a link to', async (suffix) => {
    const other = join(folder.path, 'other');
    writeFileSync(other, 'of somebody else');
    symlinkSync(other, `${path()}${suffix}`);
    await fetchIt(sha256);
    expect(readFileSync(path()).equals(bytes)).toBe(true);
    expect(readFileSync(other, 'utf8')).toBe('of somebody else');
  });

  test.each(['.partial', '.partial.etag'])(
    'does not wait for the other end of a pipe in the place of %s',
    async (suffix) => {
      execFileSync('mkfifo', [`${path()}${suffix}`]);
      await fetchIt(sha256);
      expect(readFileSync(path()).equals(bytes)).toBe(true);
    },
  );

  test('has its name only when it is whole and has its digest', async () => {
    await fetchIt(sha256);
    expect(readFileSync(path()).equals(bytes)).toBe(true);
    expect(existsSync(`${path()}.partial`)).toBe(false);
  });

  test('goes on where a transfer broke, as long as the file is the same', async () => {
    server.fail('/m.gguf', { kind: 'cut', afterBytes: 100_000 });
    await fetchIt(sha256);
    expect(readFileSync(path()).equals(bytes)).toBe(true);
    expect(server.requests.at(-1)?.headers).toMatchObject({ 'if-range': '"v1"' });
    expect(server.bodyBytes).toBeLessThan(bytes.length + 120_000);
  });

  test('with another digest is deleted and refused', async () => {
    await expect(fetchIt('0'.repeat(64))).rejects.toMatchObject({ code: 'MODEL_DIGEST' });
    expect([existsSync(path()), existsSync(`${path()}.partial`)]).toEqual([false, false]);
  });

  test('that was not the right one is not fetched again while the server has the same, and at once when either changes', async () => {
    await expect(fetchIt('0'.repeat(64))).rejects.toMatchObject({ message: expect.stringContaining(sha256) });
    const before = server.bodyBytes;
    await expect(fetchIt('0'.repeat(64))).rejects.toMatchObject({ code: 'MODEL_DIGEST' });
    expect(server.bodyBytes - before).toBeLessThan(2);
    const other = Buffer.from(bytes).fill(1, 0, 10);
    server.serve('/m.gguf', { start: other, etag: '"v2"' });
    await fetchIt(createHash('sha256').update(other).digest('hex'));
    expect(readFileSync(path()).equals(other)).toBe(true);
  });

  test('before anybody asked for a digest is held against it, once, and fetched anew where it is another', async () => {
    await fetchIt();
    const requests = server.requests.length;
    await fetchIt(sha256);
    await fetchIt(sha256);
    expect(server.requests).toHaveLength(requests);
    const other = Buffer.from(bytes).fill(1, 0, 10);
    server.serve('/m.gguf', { start: other, etag: '"v2"' });
    await fetchIt(createHash('sha256').update(other).digest('hex'));
    expect(readFileSync(path()).equals(other)).toBe(true);
  });

  test('stops when the agent is ended, keeps what has come, and goes on from there', async () => {
    server.fail('/m.gguf', { kind: 'stall', afterBytes: 100_000 });
    const ending = new AbortController();
    const fetching = fetchIt(sha256, undefined, ending.signal);
    fetching.catch(() => undefined);
    while (!existsSync(`${path()}.partial`)) await new Promise((resolve) => setTimeout(resolve, 5));
    ending.abort();
    await expect(fetching).rejects.toMatchObject({ code: 'SOURCE_CANCELLED' });
    expect([existsSync(path()), existsSync(`${path()}.partial`)]).toEqual([false, true]);
    await fetchIt(sha256);
    expect(readFileSync(path()).equals(bytes)).toBe(true);
  });

  test('is not read to its end for its digest when the agent is ended', async () => {
    const sparse = `${path()}.partial`;
    writeFileSync(sparse, '');
    truncateSync(sparse, 2 ** 40);
    writeFileSync(`${sparse}.etag`, '"v1"');
    server.serve('/m.gguf', { start: bytes, size: 2 ** 40, etag: '"v1"' });
    const ending = new AbortController();
    const fetching = fetchIt(sha256, undefined, ending.signal);
    fetching.catch(() => undefined);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => ending.abort(), 500);
    await expect(fetching).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(sparse)).toBe(true);
  });

  test('where the system takes no more is refused in one sentence, and has no name', async () => {
    const program = `
      import { download } from ${JSON.stringify(dist('agent/store/download.js'))};
      import { createNetwork } from ${JSON.stringify(dist('source/session.js'))};
      const network = createNetwork({ env: {} });
      const context = { network, meter: { requests: 0, bytes: 0 }, signal: undefined };
      const file = { url: new URL(${JSON.stringify(server.url('/m.gguf'))}), path: ${JSON.stringify(path())} };
      await download(file, { context }).catch(({ code, message }) => process.stdout.write(code + ': ' + message));
      network.close();`;
    const limited = `ulimit -f 100; exec "$0" --input-type=module -e "$1"`;
    const { stdout } = await run('/bin/bash', ['-c', limited, process.execPath, program], cliEnvironment());
    expect(stdout).toBe(`DISK_FULL: there is no room in ${folder.path}`);
    expect([existsSync(path()), existsSync(`${path()}.partial`)]).toEqual([false, true]);
    await fetchIt(sha256);
    expect(readFileSync(path()).equals(bytes)).toBe(true);
  });

  test('larger than what is free is refused before a byte is written', async () => {
    server.serve('/m.gguf', { start: bytes, size: 2 ** 50 });
    await expect(fetchIt()).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(existsSync(`${path()}.partial`)).toBe(false);
  });

  test('a token goes to its own origin only', async () => {
    const other = await RangeServer.start();
    other.serve('/cdn', { start: bytes });
    server.redirect('/m.gguf', other.url('/cdn'));
    await fetchIt(undefined, { origin: server.origin, authorization: 'Bearer secret' });
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer secret');
    expect(other.requests.at(-1)?.headers.authorization).toBeUndefined();
    await other.close();
  });
});
