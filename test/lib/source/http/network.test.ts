import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../../../../src/lib/errors.js';
import { isPrivateAddress } from '../../../../src/lib/source/http/addresses.js';
import { readModelHeader } from '../../../../src/lib/source/open.js';
import { proxyFor } from '../../../../src/lib/source/http/proxies.js';
import { smallModel } from '../../../support/models/small-models.js';
import { RangeServer } from '../../../support/servers/range-server.js';

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '[::1]',
    // NAT64, 6to4, and the old way of writing IPv4 addresses: what they lead to is inside.
    '64:ff9b::10.0.0.1',
    '64:ff9b::192.168.0.1',
    '::172.16.31.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:0001::1',
    '2002:c0a8:0101:5::9',
    '::127.0.0.1',
    '::a9fe:a9fe',
    '::ffff:a9fe:a9fe',
    'fec0::1',
    '2001:0:53aa::1',
    'ff02::1',
    '::',
    '[fe80::1%25eth0]',
    '240.0.0.1',
    '192.0.0.170',
    '198.18.0.1',
  ])('%s is inside', (address) => expect(isPrivateAddress(address)).toBe(true));

  test.each([
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2600::10.0.0.1',
    '2600:ff9b::10.0.0.1',
    '64:ff9b::192.169.0.1',
    '2002:101:101::1',
    '::1.1.1.1',
  ])('%s is public', (address) => expect(isPrivateAddress(address)).toBe(false));
});

describe('the proxy for an address', () => {
  const env = {
    HTTPS_PROXY: 'http://secure:1',
    HTTP_PROXY: 'plain:2',
    NO_PROXY:
      'internal.test,.corp.test, port.test:8443, 10.0.0.0/8,192.168.7.9,fd00::/8 [2001:db8::1] [2001:db8::3]:8443',
  };
  test.each([
    ['https://example.com/', 'http://secure:1/'],
    ['http://example.com/', 'http://plain:2/'],
    ['https://internal.test/', undefined],
    ['https://deep.internal.test/', undefined],
    ['https://a.corp.test/', undefined],
    ['https://notinternal.test/', 'http://secure:1/'],
    ['https://port.test:8443/', undefined],
    ['https://port.test/', 'http://secure:1/'],
    ['http://localhost:3000/', undefined],
    ['http://127.0.0.1/', undefined],
    ['http://[::1]/', undefined],
    ['https://10.200.3.4/', undefined],
    ['https://11.0.0.1/', 'http://secure:1/'],
    ['https://192.168.7.9/', undefined],
    ['https://192.168.7.10/', 'http://secure:1/'],
    ['https://[fd12:3456::1]/', undefined],
    ['https://[2001:db8::1]/', undefined],
    ['https://[2001:db8::2]/', 'http://secure:1/'],
    ['https://[2001:db8::3]:8443/', undefined],
    ['https://[2001:db8::3]/', 'http://secure:1/'],
    ['https://10.example.com/', 'http://secure:1/'],
  ])('%s: %s', (url, proxy) => expect(proxyFor(new URL(url), env)?.href).toBe(proxy));

  test('is none where none is wanted', () => {
    expect(proxyFor(new URL('https://a.b/'), {})).toBeUndefined();
    expect(proxyFor(new URL('https://a.b/'), { ...env, NO_PROXY: '*' })).toBeUndefined();
    expect(proxyFor(new URL('https://a.b/'), { ALL_PROXY: 'http://all:3' })?.host).toBe('all:3');
  });

  test('must be one for HTTP', () => {
    expect(() => proxyFor(new URL('https://a.b/'), { HTTPS_PROXY: 'socks5://x:1' })).toThrow(UsageError);
  });
});

describe('reading through a proxy', () => {
  let server: RangeServer;

  beforeEach(async () => {
    server = await RangeServer.start();
  });

  afterEach(async () => {
    await server.close();
  });

  test('asks the proxy for the whole address', async () => {
    server.serve('/m.gguf', smallModel());
    const env = { HTTP_PROXY: server.origin };
    const { header, url } = await readModelHeader({ kind: 'http', url: 'http://model.test/m.gguf' }, { env });
    expect(header.tensors).toHaveLength(1);
    expect(url).toBe('http://model.test/m.gguf');
    expect(server.requests[0]?.headers.host).toBe('model.test');
  });

  test('asks it for a tunnel where the address is encrypted, and shows its login to it alone', async () => {
    const tunnels: unknown[] = [];
    const proxy: Server = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push([request.url, request.headers['proxy-authorization']]);
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const env = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const reading = readModelHeader({ kind: 'http', url: 'https://model.test/m.gguf' }, { env });
    const error = await reading.catch((reason: Error) => reason);
    proxy.close();
    expect(tunnels).toEqual([['model.test:443', `Basic ${Buffer.from('user:secret').toString('base64')}`]]);
    expect(error).toMatchObject({ code: 'SOURCE_FORBIDDEN', exitCode: 3 });
    expect(String(error)).not.toContain('secret');
  });
});
