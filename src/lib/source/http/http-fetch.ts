import type { Readable } from 'node:stream';
import { HttpAnswer, requestFailure } from './http-answer.js';
import { COMMON_HEADERS, openAgent, type SendRequest } from './http-request.js';
import { cancelled } from './retry.js';

/** With node-fetch, which unpacks compressed answers: for lists, which shrink to a tenth. */
export const fetchRequest: SendRequest = async (url, headers, context) => {
  const { default: fetch } = await import('node-fetch');
  const agent = await openAgent(url, context);
  const { firstByteMs } = context.network.timeouts;
  const transfer = new AbortController();
  const abort = (): void => transfer.abort();
  let isLate = false;
  const answerTimer = setTimeout(() => {
    isLate = true;
    abort();
  }, firstByteMs);
  context.signal?.addEventListener('abort', abort);
  try {
    const sent = { ...COMMON_HEADERS, ...headers };
    const answer = await fetch(url, { agent, headers: sent, redirect: 'manual', signal: transfer.signal });
    const header = (name: string): string | undefined => answer.headers.get(name) ?? undefined;
    return new HttpAnswer({ url, status: answer.status, header, body: answer.body as Readable, abort }, context);
  } catch (error) {
    if (context.signal?.aborted === true) throw cancelled();
    if (isLate) throw requestFailure(undefined, url, context, `did not answer within ${firstByteMs} ms`);
    throw requestFailure(error, url, context);
  } finally {
    clearTimeout(answerTimer);
    context.signal?.removeEventListener('abort', abort);
  }
};
