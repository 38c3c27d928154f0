import { type Agent, type ClientRequest, get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Unreached } from './contact.js';
import { HttpAnswer, type RequestContext, requestFailure, unreachedFailure } from './http-answer.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';
import { cancelled, unlessAborted } from './retry.js';

/** Sends one GET and resolves with its answer's status and headers; follows no redirect. */
export type SendRequest = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  context: RequestContext,
) => Promise<HttpAnswer>;

const COMMON_HEADERS = { 'user-agent': 'llmkube' };

/** For parts of a file, which come as they are. */
export const sendRequest: SendRequest = (url, headers, context) => send(url, headers, context, (body) => body);

/** For lists, which a server may pack: they shrink to a tenth. */
export const sendForPacked: SendRequest = (url, headers, context) =>
  send(url, { ...headers, 'accept-encoding': 'gzip' }, context, unpacked);

/** What breaks on the way, or is not packed as it says, ends the unpacked body with an error. */
function unpacked(body: IncomingMessage): Readable {
  if (!/^(x-)?gzip$/i.test(body.headers['content-encoding'] ?? '')) return body;
  return pipeline(body, createGunzip(), () => undefined);
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  context: RequestContext,
  bodyOf: (answer: IncomingMessage) => Readable,
): Promise<HttpAnswer> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  try {
    return await context.network.reach(url, context.signal, async (connected) => {
      const agent = await openAgent(url, context);
      return new Promise((resolve, reject) => {
        const request = get(url, { agent, headers: { ...COMMON_HEADERS, ...headers } });
        watch(request, { url, context, connected, fail: reject });
        request.once('response', (answer) => {
          const header = (name: string): string | undefined => {
            const value = answer.headers[name];
            return Array.isArray(value) ? value.join(', ') : value;
          };
          const abort = (): void => void request.destroy();
          const status = answer.statusCode ?? 0;
          resolve(new HttpAnswer({ url, status, header, body: bodyOf(answer), abort }, context));
        });
      });
    });
  } catch (error) {
    throw error instanceof Unreached ? unreachedFailure(error, url, context) : error;
  }
}

/** The agent for one more request; before all that a connection needs is loaded, its host is known to have an address. */
async function openAgent(url: URL, { network, signal, meter }: RequestContext): Promise<Agent> {
  meter.requests++;
  await unlessAborted(network.lookUp(url), signal);
  const agent = await network.agentFor(url);
  if (signal?.aborted === true) throw cancelled(signal);
  return agent;
}

interface Watch {
  readonly url: URL;
  readonly context: RequestContext;
  readonly connected: () => void;
  readonly fail: (error: Error) => void;
}

/** Ends a request that is cancelled or takes too long for its answer to begin; says why it failed. */
function watch(request: ClientRequest, { url, context, connected, fail }: Watch): void {
  const { network, signal } = context;
  const { connectMs, firstByteMs } = network.timeouts;
  let isConnected = false;
  const failure = (error?: unknown, timeout?: string): Error =>
    isConnected || signal?.aborted === true
      ? requestFailure(error, url, context, timeout)
      : new Unreached(error, timeout);
  const give = (error: Error): void => {
    fail(error);
    request.destroy();
  };
  const abort = (): void => give(cancelled(signal));
  const expire = (what: string) => (): void => give(failure(undefined, what));
  const answerTimer = setTimeout(expire(`did not answer within ${firstByteMs} ms`), firstByteMs);
  const connectTimer = setTimeout(expire(`could not be connected to within ${connectMs} ms`), connectMs);
  signal?.addEventListener('abort', abort);
  request.once('socket', (socket) => {
    const opened = (): void => {
      clearTimeout(connectTimer);
      isConnected = true;
      connected();
    };
    if (!socket.connecting) opened();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', opened);
  });
  let answered = false;
  request.once('response', () => {
    answered = true;
    clearTimeout(answerTimer);
  });
  request.on('error', (error) => fail(failure(error)));
  request.once('upgrade', ({ statusCode }, socket) => {
    socket.destroy();
    give(
      new SourceError(
        'SOURCE_BAD_RESPONSE',
        `${redactedUrl(url)}: ${url.host} answers ${statusCode}, another protocol than HTTP; check the address`,
      ),
    );
  });
  request.once('close', () => {
    if (!answered) fail(failure());
    clearTimeout(answerTimer);
    clearTimeout(connectTimer);
    signal?.removeEventListener('abort', abort);
  });
}
