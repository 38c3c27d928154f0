import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { listGgufFiles } from '../../../../src/lib/source/open.js';
import { listSiblings } from '../../../../src/lib/source/hub/siblings.js';
import type { ReadOptions } from '../../../../src/lib/source/session.js';
import { RangeServer } from '../../../support/servers/range-server.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const LIST = '/api/models/owner/m/revision/main';
/** Some tenths of a second are needed, and tens of seconds where each file is held against all. */
const MOST_PROCESSOR_US = 3_000_000;
const IMPATIENT: ReadOptions = { timeouts: { firstByteMs: 300, idleMs: 300 } };
const ANSWER = { sha: COMMIT, siblings: [{ rfilename: 'm-Q4_K_M.gguf', size: 1000 }] };

describe('the list of files in a repository', () => {
  let hub: RangeServer;
  let endpoint: string;
  const list = (options: ReadOptions = {}, env: Record<string, string> = {}) =>
    listGgufFiles('owner/m', {
      env: { HF_ENDPOINT: endpoint, ...env },
      retry: { attempts: 2, firstDelayMs: 1 },
      timeouts: { firstByteMs: 20_000, idleMs: 20_000 },
      ...options,
    });

  beforeEach(async () => {
    hub = await RangeServer.start();
    hub.json(LIST, ANSWER);
    endpoint = hub.origin;
  });

  afterEach(async () => {
    await hub.close();
  });

  const sendPacked = (body: Uint8Array) =>
    hub.handle(LIST, (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });

  test('may be compressed', async () => {
    sendPacked(gzipSync(JSON.stringify(ANSWER)));
    expect((await list()).files.map(({ path }) => path)).toEqual(['m-Q4_K_M.gguf']);
    expect(hub.requests[0]?.headers['accept-encoding']).toContain('gzip');
  });

  test('says the size of no file that has less than nothing, or more than any disk', async () => {
    const sizes = [-1, -(2 ** 40), 2 ** 60, 1.5, '7', null, 0, 2 ** 40];
    hub.json(LIST, { sha: COMMIT, siblings: sizes.map((size, at) => ({ rfilename: `m${at}-Q4_K_M.gguf`, size })) });
    const unknown = Array.from({ length: 6 }, () => undefined);
    expect((await list()).files.map(({ bytes }) => bytes)).toEqual([...unknown, 0, 2 ** 40]);
  });

  test('of forty thousand files of one quantization is gone through once for it, not once for each', async () => {
    const siblings = Array.from({ length: 40_000 }, (_, at) => ({ rfilename: `${at}/m-Q4_K_M.gguf`, size: 1000 }));
    hub.json(LIST, { sha: COMMIT, siblings: [{ rfilename: 'm-Q8_0.gguf', size: 2000 }, ...siblings] });
    const before = process.cpuUsage();
    const found = await listSiblings('hf:owner/m/m-Q8_0.gguf', { env: { HF_ENDPOINT: endpoint } });
    const { user } = process.cpuUsage(before);
    expect(found?.filter(({ isTagged }) => isTagged).map(({ file }) => file)).toEqual([
      'm-Q8_0.gguf',
      '0/m-Q4_K_M.gguf',
    ]);
    expect(user).toBeLessThan(MOST_PROCESSOR_US);
  });

  test('of more files than any has is refused', async () => {
    hub.json(LIST, { sha: COMMIT, siblings: Array.from({ length: 41_001 }, () => ({ rfilename: 'a.gguf' })) });
    const message = 'owner/m lists more than 41000 files; name one of them';
    await expect(list()).rejects.toMatchObject({ code: 'SOURCE_BAD_RESPONSE', message });
  });

  test('is not unpacked beyond 4 MiB', async () => {
    sendPacked(gzipSync(Buffer.alloc(64 * 2 ** 20, ' ')));
    await expect(list()).rejects.toMatchObject({
      code: 'SOURCE_BAD_RESPONSE',
      message: expect.stringContaining('is longer than 4194304 bytes') as unknown,
    });
    expect(hub.requests).toHaveLength(1);
  });

  test('that breaks off is asked for again', async () => {
    hub.handle(LIST, (_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('{"sha"');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(list()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 3 });
    expect(hub.requests).toHaveLength(2);
  });

  test('is asked for again when the hub is busy or does not answer', async () => {
    hub.fail(LIST, { kind: 'status', status: 503 });
    expect((await list()).commit).toBe(COMMIT);
    hub.fail(LIST, { kind: 'stall', afterBytes: -1 }, { kind: 'stall', afterBytes: -1 });
    await expect(list(IMPATIENT)).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      message: expect.stringContaining('did not answer within 300 ms') as unknown,
    });
    expect(hub.requests).toHaveLength(4);
  });

  test('that stalls is given up', async () => {
    hub.handle(LIST, (_, response) => {
      response.writeHead(200).write('{"sha"');
    });
    await expect(list(IMPATIENT)).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      message: expect.stringContaining('sent nothing for 300 ms') as unknown,
    });
  });

  test('is not asked of a hub that is not there', async () => {
    await hub.close();
    await expect(list()).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining('the connection was refused') as unknown,
    });
    hub = await RangeServer.start();
  });

  test('can be cancelled before and after the answer has begun', async () => {
    const answerings = [() => undefined, (write: () => void) => write()];
    for (const answering of answerings) {
      const controller = new AbortController();
      hub.handle(LIST, (_, response) => {
        answering(() => response.writeHead(200).write('{"sha"'));
        setTimeout(() => controller.abort(), 50);
      });
      await expect(list({ signal: controller.signal })).rejects.toMatchObject({
        code: 'SOURCE_CANCELLED',
      });
    }
    expect(hub.requests).toHaveLength(2);
  });

  test('of a repository that moved is found, without giving the token to another host', async () => {
    const other = await RangeServer.start();
    other.json('/list', ANSWER);
    hub.redirect(LIST, '/renamed', {}, 307).redirect('/renamed', other.url('/list'), {}, 307);
    const { commit } = await list({}, { HF_TOKEN: 'hf_token' });
    await other.close();
    expect(commit).toBe(COMMIT);
    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer hf_token', 'Bearer hf_token']);
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test('that leads inside from outside is not followed', async () => {
    hub.redirect(LIST, 'http://169.254.169.254/latest');
    const isPrivateAddress = (address: string): boolean => address !== '127.0.0.1';
    await expect(list({ isPrivateAddress })).rejects.toMatchObject({ code: 'SOURCE_BAD_REDIRECT' });
  });

  test('comes through the proxy', async () => {
    const proxy = hub;
    expect((await list({ env: { HF_ENDPOINT: 'http://hub.test', HTTP_PROXY: proxy.origin } })).commit).toBe(COMMIT);
    expect(proxy.requests[0]?.headers.host).toBe('hub.test');
  });
});
