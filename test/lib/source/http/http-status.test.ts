import { describe, expect, test } from '@jest/globals';
import type { HttpAnswer } from '../../../../src/lib/source/http/http-answer.js';
import { refusalOf, type SentRequest } from '../../../../src/lib/source/http/http-status.js';
import { RetryableFailure } from '../../../../src/lib/source/http/retry.js';
import type { SourceError } from '../../../../src/lib/source/source-error.js';

const FILE = 'https://huggingface.co/owner/name/resolve/main/sub/a%20b.gguf';

function refusal(status: number, sent: SentRequest = {}, headers: Readonly<Record<string, string>> = {}) {
  const answer = { url: new URL(FILE), status, header: (name: string) => headers[name] } as unknown as HttpAnswer;
  const error = refusalOf(answer, sent);
  const isRetried = error instanceof RetryableFailure;
  const { code, message } = (isRetried ? error.error : error) as SourceError;
  return { code, message, isRetried, afterMs: isRetried ? error.afterMs : undefined };
}

const HUB: SentRequest = { repository: 'owner/name' };
const WITH_TOKEN: SentRequest = { ...HUB, credential: { origin: 'https://huggingface.co', token: 't' } as never };

describe('a status that is no answer', () => {
  test.each([
    [401, 'SOURCE_UNAUTHORIZED', 'wants a login (401)'],
    [403, 'SOURCE_FORBIDDEN', 'may not be read from here (403)'],
    [404, 'SOURCE_NOT_FOUND', 'does not exist (404)'],
    [410, 'SOURCE_NOT_FOUND', 'does not exist (410)'],
    [418, 'SOURCE_HTTP_STATUS', 'answers 418; try again later'],
    [500, 'SOURCE_HTTP_STATUS', 'answers 500; try again later'],
  ])('%i of any server is %s', (status, code, said) => {
    expect(refusal(status)).toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test.each([
    [401, HUB, 'SOURCE_UNAUTHORIZED', 'owner/name does not exist or is private (401): check its name, or set HF_TOKEN'],
    [401, WITH_TOKEN, 'SOURCE_UNAUTHORIZED', 'huggingface.co does not accept HF_TOKEN for owner/name (401)'],
    [
      403,
      HUB,
      'SOURCE_FORBIDDEN',
      'owner/name is gated (403): accept its terms at https://huggingface.co/owner/name and set HF_TOKEN',
    ],
    [403, WITH_TOKEN, 'SOURCE_FORBIDDEN', 'with the account of HF_TOKEN'],
    [404, HUB, 'SOURCE_NOT_FOUND', 'owner/name, or the file in it, does not exist (404)'],
    [500, HUB, 'SOURCE_HTTP_STATUS', 'owner/name cannot be read: huggingface.co answers 500'],
  ])('%i of the hub says what to do there', (status, sent, code, said) => {
    expect(refusal(status, sent)).toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test.each([
    [401, 'GatedRepo', 'SOURCE_FORBIDDEN', 'owner/name is gated (401)'],
    [404, 'EntryNotFound', 'SOURCE_NOT_FOUND', 'owner/name has no file sub/a b.gguf (404)'],
    [404, 'RevisionNotFound', 'SOURCE_NOT_FOUND', 'owner/name has no such revision (404)'],
  ])('%i of the hub is told apart by its reason, %s', (status, reason, code, said) => {
    expect(refusal(status, HUB, { 'x-error-code': reason })).toMatchObject({
      code,
      message: expect.stringContaining(said),
    });
  });

  test('429 is told to those without a token with how to have a higher limit', () => {
    const wait = (sent?: SentRequest) => refusal(429, sent).message.split('; ')[1];
    expect([wait(), wait(HUB), wait(WITH_TOKEN)]).toEqual([
      'wait some minutes and try again',
      'wait some minutes, or set HF_TOKEN for a higher limit',
      'wait some minutes and try again',
    ]);
    expect(refusal(429).code).toBe('SOURCE_RATE_LIMITED');
  });

  test('is asked again where that may help, after the time that the server names', () => {
    const retried = [400, 401, 403, 404, 408, 410, 425, 429, 451, 500, 501, 502, 503, 504].filter(
      (status) => refusal(status).isRetried,
    );
    expect(retried).toEqual([408, 425, 429, 500, 502, 503, 504]);
    expect(refusal(503, {}, { 'retry-after': '7' }).afterMs).toBe(7000);
    expect(refusal(503).afterMs).toBeUndefined();
  });
});
