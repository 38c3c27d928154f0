import { expect, test } from '@jest/globals';
import type { HttpAnswer } from '../../../../src/lib/source/http/http-answer.js';
import { checkRangeAnswer, refuseWholeFile } from '../../../../src/lib/source/http/range-answer.js';

const answer = (headers: Readonly<Record<string, string>>): HttpAnswer =>
  ({ url: new URL('https://host.example/a.gguf'), status: 206, header: (name: string) => headers[name] }) as never;
const checked = (headers: Readonly<Record<string, string>>, from = 100) => checkRangeAnswer(answer(headers), from);
const RANGE = { 'content-range': 'bytes 100-199/5000' };

test('a part says which it is, of how much, and of which version of the file', () => {
  expect(checked({ ...RANGE, 'content-length': '100', etag: '"v1"' })).toEqual({
    fileBytes: 5000,
    bytes: 100,
    etag: '"v1"',
  });
  // A weak ETag does not tell bytes apart; a server may not know the size.
  expect(checked({ 'content-range': ' bytes 100-199/* ', etag: 'W/"v1"' })).toEqual({
    fileBytes: undefined,
    bytes: 100,
    etag: undefined,
  });
  expect(checked({ 'content-range': 'bytes 100-4999/5000' }).bytes).toBe(4900);
});

test.each<[Readonly<Record<string, string>>, string]>([
  [{}, 'without saying which (no Content-Range)'],
  [{ 'content-range': 'bytes 101-199/5000' }, 'another part of the file than asked for'],
  [{ 'content-range': 'bytes 100-99/5000' }, 'another part'],
  [{ 'content-range': 'bytes 100-5000/5000' }, 'another part'],
  [{ 'content-range': 'bytes 100-199' }, 'another part'],
  [{ ...RANGE, 'content-length': '99' }, 'contradicts itself: 99 bytes by Content-Length, 100 by Content-Range'],
  [{ ...RANGE, 'content-encoding': 'gzip' }, 'sends the file compressed (gzip)'],
  [{ ...RANGE, 'content-type': 'text/html; charset=utf-8' }, 'sends a web page'],
  [{ ...RANGE, 'content-type': 'multipart/byteranges; boundary=x' }, 'sends several ranges'],
])('%j is refused: %s', (headers, problem) => {
  expect(() => checked(headers)).toThrow(problem);
});

test('a whole file in place of a part is not read, and a page is said to be one', () => {
  expect(() => refuseWholeFile(answer({}))).toThrow('sends the whole file instead of the part asked for');
  expect(() => refuseWholeFile(answer({ 'content-type': 'text/html' }))).toThrow('sends a web page');
});
