import { type Agent, type ClientRequest, get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HttpAnswer, type RequestContext, requestFailure } from './http-answer.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';
import { cancelled } from './retry.js';

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
  const agent = await openAgent(url, context);
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: { ...COMMON_HEADERS, ...headers } });
    watch(request, url, context, reject);
    request.once('response', (answer) => {
      const header = (name: string): string | undefined => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      };
      const abort = (): void => void request.destroy();
      resolve(new HttpAnswer({ url, status: answer.statusCode ?? 0, header, body: bodyOf(answer), abort }, context));
    });
  });
}

/** The agent for one more request. */
async function openAgent(url: URL, context: RequestContext): Promise<Agent> {
  const { network, signal, meter } = context;
  const error = await network.lookupError(url);
  const agent = error === undefined ? await network.agentFor(url) : undefined;
  if (signal?.aborted === true) throw cancelled();
  meter.requests++;
  if (agent === undefined) throw requestFailure(error, url, context);
  return agent;
}

/** Ends a request that is cancelled or takes too long for its answer to begin; says why it failed. */
function watch(request: ClientRequest, url: URL, context: RequestContext, fail: (error: Error) => void): void {
  const { network, signal } = context;
  const { connectMs, firstByteMs } = network.timeouts;
  const give = (error: Error): void => {
    fail(error);
    request.destroy();
  };
  const abort = (): void => give(cancelled());
  const expire = (what: string) => (): void => give(requestFailure(undefined, url, context, what));
  const answerTimer = setTimeout(expire(`did not answer within ${firstByteMs} ms`), firstByteMs);
  const connectTimer = setTimeout(expire(`could not be connected to within ${connectMs} ms`), connectMs);
  signal?.addEventListener('abort', abort);
  request.once('socket', (socket) => {
    const connected = (): void => clearTimeout(connectTimer);
    if (!socket.connecting) connected();
    else socket.once('connect', connected).once('secureConnect', connected);
  });
  let answered = false;
  request.once('response', () => {
    answered = true;
    clearTimeout(answerTimer);
  });
  request.on('error', (error) => fail(requestFailure(error, url, context)));
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
    if (!answered) fail(requestFailure(undefined, url, context));
    clearTimeout(answerTimer);
    clearTimeout(connectTimer);
    signal?.removeEventListener('abort', abort);
  });
}
