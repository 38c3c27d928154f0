import { expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { followRedirects } from '../../../../src/lib/source/http/follow-redirects.js';
import { HttpAnswer, type RequestContext } from '../../../../src/lib/source/http/http-answer.js';
import { DEFAULT_TIMEOUTS, Network } from '../../../../src/lib/source/http/network.js';
import { DEFAULT_RETRY } from '../../../../src/lib/source/http/retry.js';
import type { SendRequest } from '../../../../src/lib/source/http/http-request.js';

const NAMES: Readonly<Record<string, string>> = {
  'hub.example': '1.1.1.1',
  'cdn.example': '1.0.0.1',
  'model.lan': '192.168.1.5',
  'metadata.lan': '169.254.169.254',
};
const lookUp = (host: string) => Promise.resolve([{ address: NAMES[host] ?? host, family: 4 }]);
const retry = { ...DEFAULT_RETRY, attempts: 1 };
const context = {
  network: new Network({ env: {}, timeouts: { ...DEFAULT_TIMEOUTS, idleMs: 1000 }, retry, lookUp }),
  meter: { requests: 0, bytes: 0 },
} as unknown as RequestContext;

/** Every address redirects as the list says; the others answer. */
function follow(from: string, redirects: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const send: SendRequest = (url, headers) => {
    asked.push(`${url.href} ${headers.authorization ?? 'without a login'}`);
    const location = redirects[url.href];
    const header = (name: string) => (name === 'location' ? location : undefined);
    const body = new PassThrough();
    body.end();
    const parts = { url, status: location === undefined ? 200 : 302, header, body, abort: () => body.destroy() };
    return Promise.resolve(new HttpAnswer(parts as unknown as ConstructorParameters<typeof HttpAnswer>[0], context));
  };
  const credential = { origin: new URL(from).origin, authorization: 'Bearer t' };
  const answered = followRedirects({ url: new URL(from), headers: {}, credential, send }, context);
  return { asked, answered };
}

test.each([
  'http://169.254.169.254/latest/meta-data',
  'http://metadata.lan/',
  'http://[fe80::1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://100.100.100.200/latest',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://[fd00:ec2::254]/',
  'http://[fd00:ec2::23]/v1/credentials',
  'http://[fd00:c1::a9fe:a9fe]/opc/v2/',
  'http://[fd00:42::42]/',
  'http://[fd00:a9fe:a9fe::1]/v1/token',
  'http://[fd00:100::100:200]/',
])('a server inside does not make this machine ask for its own secrets at %s', async (secret) => {
  const { asked, answered } = follow('http://model.lan/a', {
    'http://model.lan/a': 'http://192.168.1.6/b',
    'http://192.168.1.6/b': secret,
  });
  await expect(answered).rejects.toMatchObject({
    code: 'SOURCE_BAD_REDIRECT',
    message: expect.stringContaining('this machine has to itself'),
  });
  expect(asked).toHaveLength(2);
});

test('one on a link-local address, that was asked for, may lead to another', async () => {
  const { answered } = follow('http://169.254.7.7/a', { 'http://169.254.7.7/a': 'http://169.254.7.8/b' });
  expect((await answered).url.href).toBe('http://169.254.7.8/b');
});

test('a server inside may lead to another one inside', async () => {
  const { answered } = follow('http://model.lan/a', { 'http://model.lan/a': 'http://192.168.1.6/b' });
  expect((await answered).url.href).toBe('http://192.168.1.6/b');
});

test('a redirect from https to http is not followed', async () => {
  const { asked, answered } = follow('https://hub.example/a', { 'https://hub.example/a': 'http://cdn.example/a' });
  await expect(answered).rejects.toMatchObject({ code: 'SOURCE_BAD_REDIRECT' });
  expect(asked).toEqual(['https://hub.example/a Bearer t']);
});

test('a login goes to the server that it is for, and to no other of a chain', async () => {
  const { asked, answered } = follow('https://hub.example/a', {
    'https://hub.example/a': 'https://cdn.example/b',
    'https://cdn.example/b': 'https://hub.example/c',
  });
  expect((await answered).status).toBe(200);
  expect(asked).toEqual([
    'https://hub.example/a Bearer t',
    'https://cdn.example/b without a login',
    'https://hub.example/c Bearer t',
  ]);
});
