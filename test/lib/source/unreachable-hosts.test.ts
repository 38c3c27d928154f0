import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Network, type NetworkOptions } from '../../../src/lib/source/http/network.js';
import { type HeaderReading, readModelHeader } from '../../../src/lib/source/open.js';
import { type ManyResult, type ReadManyOptions, readMany } from '../../../src/lib/source/read-many.js';
import type { SourceError } from '../../../src/lib/source/source-error.js';
import { FILE_SERVER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { smallModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';

const RETRY = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2, maxRetryAfterMs: 10 };
const TIMEOUTS = { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 };
const LOOPBACK: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];

function read(urls: readonly string[], options: ReadManyOptions): Promise<ManyResult<HeaderReading>[]> {
  const readings = urls.map((url) => ({
    source: { kind: 'http', url } as const,
    read: (shared: ReadManyOptions) => readModelHeader({ kind: 'http', url }, shared),
  }));
  return readMany(readings, { retry: RETRY, ...options });
}

function codes(results: readonly ManyResult<unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) {
    const name = 'value' in result ? 'read' : (result.error as SourceError).code;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function names(host: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${host}/m${index}.gguf`);
}

/** Names looked up as told, and counted. */
function network(answer: (host: string, before: number) => Promise<LookupAddress[]>, timeouts = TIMEOUTS) {
  const asked: string[] = [];
  const lookUp: NetworkOptions['lookUp'] = (host) => {
    const before = asked.filter((name) => name === host).length;
    asked.push(host);
    return answer(host, before);
  };
  return { asked, network: new Network({ env: {}, timeouts, retry: RETRY, lookUp }) };
}

function failing(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code }));
}

describe('many models on a host that cannot be reached', () => {
  let live: RangeServer;

  beforeEach(async () => {
    live = await RangeServer.start();
    for (let index = 0; index < 20; index++) live.serve(`/m${index}.gguf`, smallModel());
  });

  afterEach(async () => {
    await live.close();
  });

  test('a port that is closed is tried once, all say so, and other hosts answer as ever', async () => {
    const closed = await closedPort();
    let tried = 0;
    const count = (message: unknown): void => {
      const { socket } = message as {
        socket: { once: (name: 'error', heard: (error: { port?: number }) => void) => void };
      };
      socket.once('error', ({ port }) => (tried += port === closed ? 1 : 0));
    };
    subscribe('net.client.socket', count);
    const dead = names(`http://127.0.0.1:${closed}`, 200);
    const results = await read([...dead, ...names(live.origin, 20)], {});
    unsubscribe('net.client.socket', count);
    expect(codes(results)).toEqual({ SOURCE_UNREACHABLE: 200, read: 20 });
    expect(results[199]).toMatchObject({
      error: { message: `cannot read ${dead[199]}: the connection was refused (127.0.0.1:${closed})` },
    });
    expect(tried).toBe(1);
  });

  test('a name that nobody has is looked up once', async () => {
    const { asked, network: shared } = network(() => failing('ENOTFOUND'));
    const results = await read(names('http://nobody.test', 200), { network: shared });
    expect(codes(results)).toEqual({ SOURCE_UNREACHABLE: 200 });
    expect(asked).toEqual(['nobody.test']);
  });

  test('a name server that does not know is asked as often as one reading would', async () => {
    const { asked, network: shared } = network(() => failing('EAI_AGAIN'));
    const results = await read(names('http://perhaps.test', 200), { network: shared });
    expect(codes(results)).toEqual({ SOURCE_UNREACHABLE: 200 });
    expect(results[0]).toMatchObject({
      error: { message: expect.stringContaining('could not be reached (EAI_AGAIN)') as unknown },
    });
    expect(asked).toHaveLength(RETRY.attempts);
  });

  test('a name server that fails once keeps nothing from being read', async () => {
    const { network: shared } = network((_, before) => (before < 2 ? failing('EAI_AGAIN') : Promise.resolve(LOOPBACK)));
    const results = await read(names(`http://live.test:${live.port}`, 20), { network: shared });
    expect(codes(results)).toEqual({ read: 20 });
  });

  test('a look-up that never ends is shared, and waited for twice', async () => {
    const { asked, network: shared } = network(() => new Promise(() => undefined), { ...TIMEOUTS, connectMs: 30 });
    const results = await read(names('http://mute.test', 200), { network: shared });
    expect(codes(results)).toEqual({ SOURCE_TIMEOUT: 200 });
    expect(results[0]).toMatchObject({
      error: { message: expect.stringContaining('mute.test could not be looked up within 30 ms') as unknown },
    });
    expect(asked).toEqual(['mute.test']);
  });

  test('where redirects lead to one, it is looked up as often', async () => {
    for (let index = 0; index < 60; index++) live.redirect(`/r${index}`, `http://gone.test/${index}`);
    const { asked, network: shared } = network(() => failing('EAI_AGAIN'));
    const urls = Array.from({ length: 60 }, (_, index) => live.url(`/r${index}`));
    expect(codes(await read(urls, { network: shared }))).toEqual({ SOURCE_UNREACHABLE: 60 });
    expect(asked).toHaveLength(RETRY.attempts);
  });

  test('names that are looked up in vain make no other one wait for their next attempts, or fail', async () => {
    const slowly = (host: string): Promise<LookupAddress[]> =>
      host === 'live.test'
        ? Promise.resolve(LOOPBACK)
        : new Promise((_, reject) => setTimeout(() => void failing('EAI_AGAIN').catch(reject), 60));
    const { asked, network: shared } = network(slowly, { ...TIMEOUTS, connectMs: 100 });
    const dead = Array.from({ length: 12 }, (_, index) => `http://d${index}.test/m.gguf`);
    const results = await read([...dead, ...names(`http://live.test:${live.port}`, 20)], { network: shared });
    expect(codes(results)).toEqual({ SOURCE_UNREACHABLE: 12, read: 20 });
    expect(asked.indexOf('live.test')).toBe(12);
  });
});

test('what is not read when the time for all is over says so, and is not asked for', async () => {
  const server = await HostileServer.start(FILE_SERVER_MODES['never answers']);
  try {
    const results = await read(names(server.url, 50), { allMs: 200 });
    expect(codes(results)).toEqual({ SOURCE_TIMEOUT: 50 });
    const message = expect.stringMatching(
      /^not read within the 0.2 s that all models together may take; .*--read-timeout$/,
    ) as unknown;
    expect(results[0]).toMatchObject({ error: { message } });
    expect(results[49]).toMatchObject({ error: { message } });
    expect(server.requestCount).toBe(4);
  } finally {
    await server.close();
  }
});

/** A port of this machine that nothing listens at. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
