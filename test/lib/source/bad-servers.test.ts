import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { readModelHeader } from '../../../src/lib/source/open.js';
import type { ReadOptions } from '../../../src/lib/source/session.js';
import { bigModel, smallModel } from '../../support/models/small-models.js';
import { type Fault, RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

describe('a server that misbehaves', () => {
  let server: RangeServer;
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  const options = (): ReadOptions => ({
    cacheDir: cache.path,
    retry: { attempts: 2, firstDelayMs: 1 },
    timeouts: { idleMs: 300 },
  });
  const refusal = async (path: string, extra: ReadOptions = {}) => {
    const error = await readModelHeader({ kind: 'http', url: server.url(path) }, { ...options(), ...extra }).then(
      () => new Error('was read'),
      (reason: Error) => reason,
    );
    expect(await readdir(cache.path)).toEqual([]);
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
    return error as Error & { code?: string; exitCode?: number };
  };

  beforeEach(async () => {
    server = await RangeServer.start();
    cache = await temporaryFolder();
  });

  afterEach(async () => {
    await server.close();
    await cache.remove();
  });

  test('ignores ranges: reading stops at once', async () => {
    server.serve('/model.gguf', bigModel()).fail('/model.gguf', { kind: 'whole' });
    const error = await refusal('/model.gguf');
    expect(error).toMatchObject({ code: 'SOURCE_NO_RANGES', exitCode: 3 });
    expect(error.message).toContain('sends the whole file instead of the part asked for; reading stopped at once');
    // What the kernel's buffers on both sides take before the server learns of it.
    expect(server.bodyBytes).toBeLessThan(16 * 2 ** 20);
  });

  const html = { 'content-type': 'text/html; charset=utf-8' };
  const lies: readonly (readonly [string, Fault, string, string])[] = [
    [
      'no Content-Range',
      { kind: 'headers', headers: { 'content-range': undefined } },
      'SOURCE_BAD_RESPONSE',
      'no Content-Range',
    ],
    [
      'another range',
      { kind: 'headers', headers: { 'content-range': 'bytes 5-9/10' } },
      'SOURCE_BAD_RESPONSE',
      'another part of the file',
    ],
    [
      'a senseless range',
      { kind: 'headers', headers: { 'content-range': 'bytes x-y/z' } },
      'SOURCE_BAD_RESPONSE',
      'another part',
    ],
    [
      'a range beyond its file',
      { kind: 'headers', headers: { 'content-range': 'bytes 0-99/50' } },
      'SOURCE_BAD_RESPONSE',
      'another part',
    ],
    [
      'two lengths',
      { kind: 'headers', headers: { 'content-range': 'bytes 0-99/100' } },
      'SOURCE_BAD_RESPONSE',
      'contradicts itself',
    ],
    [
      'a compressed body',
      { kind: 'headers', headers: { 'content-encoding': 'gzip' } },
      'SOURCE_BAD_RESPONSE',
      'compressed (gzip)',
    ],
    ['a web page in parts', { kind: 'headers', headers: html }, 'SOURCE_BAD_RESPONSE', 'a web page instead of a file'],
    [
      'several ranges',
      { kind: 'headers', headers: { 'content-type': 'multipart/byteranges; boundary=x' } },
      'SOURCE_BAD_RESPONSE',
      'several ranges',
    ],
    [
      'a login page',
      { kind: 'status', status: 200, headers: html, body: '<html>' },
      'SOURCE_BAD_RESPONSE',
      'a web page instead of a file',
    ],
    ['401', { kind: 'status', status: 401 }, 'SOURCE_UNAUTHORIZED', 'wants a login (401)'],
    ['403', { kind: 'status', status: 403 }, 'SOURCE_FORBIDDEN', 'may not be read from here (403)'],
    ['404', { kind: 'status', status: 404 }, 'SOURCE_NOT_FOUND', 'does not exist (404)'],
    ['418', { kind: 'status', status: 418 }, 'SOURCE_HTTP_STATUS', 'answers 418'],
    ['a redirect to nowhere', { kind: 'status', status: 302 }, 'SOURCE_BAD_REDIRECT', 'without saying where to'],
    [
      'a redirect to a file',
      { kind: 'status', status: 302, headers: { location: 'file:///etc/passwd' } },
      'SOURCE_BAD_REDIRECT',
      'redirects to a file: address',
    ],
    [
      'a redirect to data',
      { kind: 'status', status: 307, headers: { location: 'data:,GGUF' } },
      'SOURCE_BAD_REDIRECT',
      'redirects to a data: address',
    ],
  ];

  test.each(lies)('sends %s', async (_, fault, code, message) => {
    server.serve('/model.gguf', smallModel()).fail('/model.gguf', fault, fault);
    const error = await refusal('/model.gguf');
    expect(error).toMatchObject({ code, exitCode: 3 });
    expect(error.message).toContain(message);
    expect(error.message).toContain(server.url('/model.gguf'));
    expect(server.requests).toHaveLength(1);
  });

  test('says that an empty file has no first byte', async () => {
    server.serve('/empty.gguf', { start: new Uint8Array(0), size: 0 });
    expect(await refusal('/empty.gguf')).toMatchObject({ code: 'SOURCE_BAD_RESPONSE', exitCode: 3 });
  });

  test('announces more than it sends', async () => {
    server.handle('/model.gguf', (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-999/1000' }).end('GGUF');
    });
    const error = await refusal('/model.gguf');
    expect(error).toMatchObject({ code: 'SOURCE_BAD_RESPONSE' });
    expect(error.message).toContain('more or fewer bytes than it announced');
    expect(server.requests).toHaveLength(2);
  });

  test('has a file that was cut', async () => {
    const { start, size = 0 } = smallModel();
    server.serve('/model.gguf', { start, size: size - 1 });
    expect(await refusal('/model.gguf')).toMatchObject({ code: 'GGUF_TRUNCATED', exitCode: 3 });
  });

  test('redirects in a circle', async () => {
    server.redirect('/a', '/b').redirect('/b', '/a');
    const error = await refusal('/a');
    expect(error).toMatchObject({ code: 'SOURCE_BAD_REDIRECT', exitCode: 3 });
    expect(error.message).toContain('more than 5 times');
    expect(server.requests).toHaveLength(6);
  });

  test('is public, and redirects to an address inside', async () => {
    const isPrivateAddress = (address: string): boolean => address !== '127.0.0.1';
    server.redirect('/model.gguf', 'http://169.254.169.254/latest/meta-data');
    const error = await refusal('/model.gguf', { isPrivateAddress });
    expect(error).toMatchObject({ code: 'SOURCE_BAD_REDIRECT', exitCode: 3 });
    expect(error.message).toContain('redirects to the private address 169.254.169.254, which is not followed');
  });

  test('is inside, and may redirect to another one inside', async () => {
    const other = await RangeServer.start();
    other.serve('/model.gguf', smallModel());
    server.redirect('/model.gguf', other.url('/model.gguf'));
    const { header } = await readModelHeader({ kind: 'http', url: server.url('/model.gguf') });
    await other.close();
    expect(header.tensors).toHaveLength(1);
  });

  test('gets the login of its address, which shows up nowhere and goes nowhere else', async () => {
    const other = await RangeServer.start();
    server.redirect('/model.gguf', other.url('/elsewhere.gguf'));
    const url = server.url('/model.gguf?signature=secret').replace('//', '//user:secret@');
    const error = await readModelHeader({ kind: 'http', url }, options()).catch((reason: Error) => reason);
    await other.close();
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
    expect(String(error)).toContain('/elsewhere.gguf does not exist (404)');
    expect(String(error)).not.toContain('secret');
  });
});
