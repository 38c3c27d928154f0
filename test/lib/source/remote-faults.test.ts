import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { retryAfterMs } from '../../../src/lib/source/http/retry.js';
import type { ReadOptions } from '../../../src/lib/source/session.js';
import { bigModel, smallModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';

/** Retries at once; only what stands still for longer than a busy machine lets it counts as stalled. */
const FAST: ReadOptions = {
  retry: { firstDelayMs: 1, maxDelayMs: 2 },
  timeouts: { connectMs: 20_000, firstByteMs: 20_000, idleMs: 2000 },
};

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfterMs('2', now)).toBe(2000);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
  expect(retryAfterMs('Wed, 31 Dec 2025 23:59:00 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});

describe('when the transfer goes wrong', () => {
  let server: RangeServer;
  const read = (options: ReadOptions = FAST) =>
    readModelHeader({ kind: 'http', url: server.url('/model.gguf') }, options);
  const ranges = () => server.requests.map(({ headers }) => [headers.range, headers['if-range']]);

  beforeEach(async () => {
    server = await RangeServer.start();
  });

  afterEach(async () => {
    await server.close();
  });

  test('a broken connection is resumed where it stopped, if the file is still the same', async () => {
    server.serve('/model.gguf', bigModel()).fail('/model.gguf', { kind: 'cut', afterBytes: 1_000_000 });
    const { header, requests } = await read();
    expect(header.tensors).toHaveLength(1);
    expect(requests).toBe(2);
    const [, [range, condition] = []] = ranges();
    const from = Number(/^bytes=(\d+)-/.exec(String(range))?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(1_000_000);
    expect(condition).toBe('"v1"');
  });

  test('a stalled transfer is resumed', async () => {
    server.serve('/model.gguf', bigModel()).fail('/model.gguf', { kind: 'stall', afterBytes: 500_000 });
    expect((await read()).header.tensors).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
  });

  test('a file that changed meanwhile is read from the start', async () => {
    server.serve('/model.gguf', bigModel('"v1"')).fail('/model.gguf', { kind: 'cut', afterBytes: 1_000_000 });
    server.fail('/model.gguf', { kind: 'status', status: 503 });
    const reading = read({ ...FAST, retry: { firstDelayMs: 200, maxDelayMs: 200 } });
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    server.serve('/model.gguf', smallModel('new.weight', '"v2"'));
    const { header, etag } = await reading;
    expect(header.tensors.map(({ name }) => name)).toEqual(['new.weight']);
    expect(etag).toBe('"v2"');
  });

  test('a file that changed meanwhile at the same length is not joined to what was read, by a server without If-Range', async () => {
    const file = bigModel('"v1"');
    server.serve('/model.gguf', file).fail('/model.gguf', { kind: 'cut', afterBytes: 1_000_000 });
    // It sends the range that was asked for, of what is there now.
    server.fail('/model.gguf', { kind: 'headers', headers: { etag: '"v2"' } });
    server.fail('/model.gguf', { kind: 'headers', headers: { etag: '"v2"' } });
    expect((await read()).etag).toBe('"v2"');
    const starts = ranges().map(([range]) => /^bytes=(\d+)-/.exec(String(range))?.[1]);
    expect(starts).toEqual(['0', expect.not.stringMatching(/^0$/), '0']);
  });

  test.each([{}, { etag: 'W/"v1"' }])('without a strong ETag, %j, what was read is read again', async (tag) => {
    const { start, size } = bigModel();
    server.serve('/model.gguf', { start, size, ...tag }).fail('/model.gguf', { kind: 'cut', afterBytes: 1_000_000 });
    expect((await read()).header.tensors).toHaveLength(1);
    expect(ranges()).toEqual([
      ['bytes=0-33554431', undefined],
      ['bytes=0-33554431', undefined],
    ]);
  });

  test.each([408, 429, 500, 502, 503, 504])('a status %d is tried again', async (status) => {
    server.serve('/model.gguf', smallModel()).fail('/model.gguf', { kind: 'status', status });
    expect((await read()).requests).toBe(2);
  });

  test('a server that wants a pause of an hour is not waited for', async () => {
    const headers = { 'retry-after': '3600' };
    server.serve('/model.gguf', smallModel()).fail('/model.gguf', { kind: 'status', status: 429, headers });
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_RATE_LIMITED', exitCode: 3 });
    expect(server.requests).toHaveLength(1);
  });

  test('it gives up after five attempts, with the last reason', async () => {
    const faults = Array.from({ length: 9 }, () => ({ kind: 'status', status: 503 }) as const);
    server.serve('/model.gguf', smallModel()).fail('/model.gguf', ...faults);
    await expect(read()).rejects.toMatchObject({
      code: 'SOURCE_HTTP_STATUS',
      message: expect.stringContaining('answers 503') as unknown,
    });
    expect(server.requests).toHaveLength(5);
  });

  test('a server that never answers is a time-out', async () => {
    server.serve('/model.gguf', smallModel());
    server.fail('/model.gguf', { kind: 'stall', afterBytes: -1 }, { kind: 'stall', afterBytes: -1 });
    const timeouts = { connectMs: 20_000, firstByteMs: 300, idleMs: 2000 };
    await expect(read({ timeouts, retry: { attempts: 2, firstDelayMs: 1 } })).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      exitCode: 3,
      message: expect.stringContaining('did not answer within 300 ms') as unknown,
    });
  });

  test('a server that is not there is said at once', async () => {
    const url = server.url('/model.gguf');
    await server.close();
    await expect(readModelHeader({ kind: 'http', url }, FAST)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining('the connection was refused') as unknown,
    });
    server = await RangeServer.start();
  });

  test('a host that does not exist is said at once', async () => {
    const reading = readModelHeader(
      { kind: 'http', url: 'http://no-such-host.invalid/model.gguf' },
      { ...FAST, retry: { attempts: 1 } },
    );
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', exitCode: 3 });
  });

  test('it can be cancelled during a transfer, during a pause and before', async () => {
    server.serve('/model.gguf', bigModel());
    const during = new AbortController();
    await expect(read({ ...FAST, signal: during.signal, onProgress: () => during.abort() })).rejects.toMatchObject({
      code: 'SOURCE_CANCELLED',
    });
    server.fail('/model.gguf', { kind: 'status', status: 503 });
    const pause = new AbortController();
    const reading = read({ retry: { firstDelayMs: 60_000, maxDelayMs: 60_000 }, signal: pause.signal });
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => pause.abort(), 20);
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_CANCELLED' });
    await expect(read({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'SOURCE_CANCELLED' });
    expect(server.requests).toHaveLength(2);
  });
});
