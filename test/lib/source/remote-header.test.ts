import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseModelSource } from '../../../src/lib/source/model-source.js';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { bigModel, smallModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

describe('reading a header over HTTP', () => {
  let server: RangeServer;
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeEach(async () => {
    server = await RangeServer.start();
    cache = await temporaryFolder();
  });

  afterEach(async () => {
    await server.close();
    await cache.remove();
  });

  test('takes one request and stops soon after the last tensor', async () => {
    const file = bigModel();
    server.serve('/model.gguf', file);
    const reading = await readModelHeader(parseModelSource(server.url('/model.gguf')));
    expect(reading.header.tensors.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['token_embd.weight', 4_608_000_000],
    ]);
    expect(reading.header.files).toEqual([{ bytes: file.size, dataOffsetBytes: file.start.length }]);
    expect(reading.header.metadata.get('tokenizer.ggml.tokens')).toEqual({ skipped: true, length: 150_000 });
    expect(reading).toMatchObject({ url: server.url('/model.gguf'), etag: '"v1"', fromCache: false, requests: 1 });
    expect(reading.bytesRead - file.unpaddedBytes).toBeLessThanOrEqual(256 * 1024);
    expect(server.requests.map(({ method, path }) => [method, path])).toEqual([['GET', '/model.gguf']]);
    expect(server.requests[0]?.headers).toMatchObject({ range: 'bytes=0-33554431' });
    expect(server.requests[0]?.headers['accept-encoding']).toBeUndefined();
  });

  test('asks only whether the file is still the same the second time', async () => {
    server.serve('/model.gguf', bigModel());
    const source = parseModelSource(server.url('/model.gguf'));
    const first = await readModelHeader(source, { cacheDir: cache.path });
    const second = await readModelHeader(source, { cacheDir: cache.path });
    expect(second.header).toEqual(first.header);
    expect(second).toMatchObject({ fromCache: true, requests: 1, bytesRead: 0, etag: '"v1"' });
    expect(server.requests[1]?.headers['if-none-match']).toBe('"v1"');
  });

  test('reads a file again that has changed', async () => {
    server.serve('/model.gguf', smallModel('token_embd.weight', '"v1"'));
    const source = parseModelSource(server.url('/model.gguf'));
    await readModelHeader(source, { cacheDir: cache.path });
    server.serve('/model.gguf', smallModel('output.weight', '"v2"'));
    const second = await readModelHeader(source, { cacheDir: cache.path });
    expect(second.fromCache).toBe(false);
    expect(second.header.tensors.map(({ name }) => name)).toEqual(['output.weight']);
  });

  test('answers offline from what was read before, without a request', async () => {
    server.serve('/model.gguf', bigModel());
    const source = parseModelSource(server.url('/model.gguf'));
    const first = await readModelHeader(source, { cacheDir: cache.path });
    const second = await readModelHeader(source, { cacheDir: cache.path, offline: true });
    expect(second.header).toEqual(first.header);
    expect(second).toMatchObject({ fromCache: true, requests: 0 });
  });

  test('says offline that a header was never read', async () => {
    const reading = readModelHeader(parseModelSource(server.url('/model.gguf')), {
      cacheDir: cache.path,
      offline: true,
    });
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_OFFLINE', exitCode: 3 });
    expect(server.requests).toEqual([]);
  });
});
