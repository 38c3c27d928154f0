import fetch, { FetchError, type Headers, type Response } from 'node-fetch';
import type { Readable } from 'node:stream';
import { CONNECT_TIMEOUT_CODE, type Network } from './network.js';
import { printable } from '../printable.js';
import { redactedUrl } from './redacted-url.js';
import { cancelled, RetryableFailure } from './retry.js';
import { LlmkubeError } from '../errors.js';
import { SourceError } from './source-error.js';

/** Counts what reading cost. */
export interface Meter {
  requests: number;
  /** Bytes of bodies that arrived. */
  bytes: number;
}

export interface RequestContext {
  readonly network: Network;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
}

/** Reading more than this only to keep a connection costs more than a new one. */
const MAX_DISCARDED_BYTES = 16 * 1024;

/** Failures that are the same a second later. */
const LASTING: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such host',
  ECONNREFUSED: 'the connection was refused',
  ERR_INVALID_URL: 'the address is not valid',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority; set NODE_EXTRA_CA_CERTS to trust one',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified; set NODE_EXTRA_CA_CERTS to trust its authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate cannot be verified; set NODE_EXTRA_CA_CERTS to trust its authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

/** One answer of one server: redirects are answers too. The body must be read or closed. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly #body: Readable;
  readonly #connection: AbortController;
  readonly #context: RequestContext;

  constructor(
    readonly url: URL,
    response: Response,
    connection: AbortController,
    context: RequestContext,
  ) {
    this.status = response.status;
    this.headers = response.headers;
    this.#body = response.body as Readable;
    this.#body.on('error', () => undefined);
    this.#connection = connection;
    this.#context = context;
  }

  /** Ends the transfer wherever it is. */
  close(): void {
    this.#connection.abort();
  }

  /** Reads a short body to its end, so that the connection can be used again. */
  async discard(): Promise<void> {
    let bytes = 0;
    try {
      for await (const chunk of this.chunks()) {
        bytes += chunk.length;
        if (bytes > MAX_DISCARDED_BYTES) return;
      }
    } catch {
      // A connection that breaks here is one that is not used again.
    }
  }

  /** The body as it arrives; ends the transfer when the reader stops. Throws `RetryableFailure` when it breaks. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { idleMs } = this.#context.network.timeouts;
    let stalled = false;
    const timer = setTimeout(() => {
      stalled = true;
      this.#body.destroy();
    }, idleMs);
    try {
      for await (const chunk of this.#body as AsyncIterable<Uint8Array>) {
        timer.refresh();
        this.#context.meter.bytes += chunk.length;
        yield chunk;
      }
      if (stalled) throw new Error('stalled');
    } catch (error) {
      if (error instanceof SourceError || error instanceof RetryableFailure) throw error;
      throw failure(error, this.url, this.#context, stalled ? `sent nothing for ${idleMs} ms` : undefined);
    } finally {
      clearTimeout(timer);
      this.close();
    }
  }
}

/** Sends one GET and resolves with its answer's status and headers; follows no redirect. */
export async function sendRequest(
  url: URL,
  headers: Readonly<Record<string, string>>,
  context: RequestContext,
): Promise<HttpAnswer> {
  if (context.signal?.aborted === true) throw cancelled();
  const connection = new AbortController();
  const abort = (): void => connection.abort();
  context.signal?.addEventListener('abort', abort, { once: true });
  connection.signal.addEventListener('abort', () => context.signal?.removeEventListener('abort', abort));
  const { firstByteMs } = context.network.timeouts;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort();
  }, firstByteMs);
  context.meter.requests++;
  try {
    const agent = await context.network.agentFor(url);
    // Compressed ranges cannot be resumed or measured, so none are asked for.
    const options = { headers, agent, redirect: 'manual', compress: false, signal: connection.signal } as const;
    return new HttpAnswer(url, await fetch(url, options), connection, context);
  } catch (error) {
    abort();
    throw failure(error, url, context, late ? `did not answer within ${firstByteMs} ms` : undefined);
  } finally {
    clearTimeout(timer);
  }
}

function failure(error: unknown, url: URL, context: RequestContext, timeout: string | undefined): Error {
  if (context.signal?.aborted === true) return cancelled();
  if (error instanceof LlmkubeError) return error;
  const where = `cannot read ${redactedUrl(url)}`;
  const code = error instanceof FetchError || (error instanceof Error && 'code' in error) ? String(error.code) : '';
  const connecting = code === CONNECT_TIMEOUT_CODE;
  if (timeout !== undefined || connecting) {
    const problem = timeout ?? `could not be connected to within ${context.network.timeouts.connectMs} ms`;
    return new RetryableFailure(
      new SourceError('SOURCE_TIMEOUT', `${where}: ${url.host} ${problem}; check the network and try again`),
    );
  }
  const lasting = LASTING[code];
  if (lasting !== undefined) {
    return new SourceError('SOURCE_UNREACHABLE', `${where}: ${lasting} (${url.host})`, { cause: error });
  }
  const reason = code === '' || code === 'undefined' ? printable(error instanceof Error ? error.message : '') : code;
  return new RetryableFailure(
    new SourceError('SOURCE_UNREACHABLE', `${where}: the connection to ${url.host} broke (${reason}); try again`, {
      cause: error,
    }),
  );
}
