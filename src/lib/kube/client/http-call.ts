import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { TAKES_PACKED, unpacked } from '../../source/http/unpacked.js';

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly agent: Agent | undefined;
  /** Ends the call, and the answer wherever it is. */
  readonly signal: AbortSignal;
}

/** An answer whose body is still to come; a redirect is one, too. */
export interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly retryAfter: string | undefined;
  readonly body: Readable;
}

/** The server speaks another protocol from here on, which nobody asked for. */
export class OtherProtocol extends Error {}

/**
 * One request. Rejects with what Node says of a connection that does not come about or breaks, and `OtherProtocol`; the body of the answer
 * ends with such an error too.
 */
export function callHttp(url: URL, { method, headers, body, agent, signal }: HttpCall): Promise<Response> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      agent,
      signal,
      headers: { 'user-agent': 'llmkube', ...TAKES_PACKED, ...headers },
    });
    request.on('error', reject);
    refuseOtherProtocols(request, reject);
    request.once('response', (answer) => resolve(responseOf(answer)));
    request.end(body);
  });
}

/** Without a listener Node closes the connection and says nothing. */
function refuseOtherProtocols(request: ClientRequest, reject: (error: Error) => void): void {
  request.once('upgrade', (_, socket) => {
    socket.destroy();
    reject(new OtherProtocol());
  });
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = answer;
  const body = unpacked(answer);
  // Whoever reads it hears of it; nobody need read it.
  body.on('error', () => undefined);
  return { ok: status >= 200 && status < 300, status, statusText, retryAfter: headers['retry-after'], body };
}
