import { expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { followRedirects } from '../../../../src/lib/source/http/follow-redirects.js';
import { HttpAnswer, type RequestContext } from '../../../../src/lib/source/http/http-answer.js';
import type { SendRequest } from '../../../../src/lib/source/http/http-request.js';

const context = {
  network: { leadsInside: () => Promise.resolve(false), timeouts: { idleMs: 1000 } },
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
