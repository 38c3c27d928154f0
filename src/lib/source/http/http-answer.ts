import type { Readable } from 'node:stream';
import { LlmkubeError } from '../../errors.js';
import { printable } from '../../printable.js';
import { errorCode, errorMessage } from '../../error-code.js';
import { LASTING, type Unreached } from './contact.js';
import type { Network } from './network.js';
import { redactedUrl } from '../redacted-url.js';
import { cancelled, RetryableFailure } from './retry.js';
import { SourceError } from '../source-error.js';

/** Counts what reading cost. */
export interface Meter {
  requests: number;
  /** Bytes of bodies that arrived; of a list of files, as unpacked. */
  bytes: number;
}

export interface RequestContext {
  readonly network: Network;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
}

/** Reading more than this only to keep a connection costs more than a new one. */
const MAX_DISCARDED_BYTES = 16 * 1024;
/** Waiting longer for the end of such a body costs more than a new connection. */
const MAX_DISCARDING_MS = 1000;

/** What a client has of an answer when its headers are there. */
export interface AnswerParts {
  readonly url: URL;
  readonly status: number;
  /** The value of a header, named in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly body: Readable;
  /** Ends the transfer wherever it is. */
  readonly abort: () => void;
}

/** One answer of one server: redirects are answers too. The body must be read or closed. */
export class HttpAnswer {
  readonly url: URL;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly #parts: AnswerParts;
  readonly #context: RequestContext;

  constructor(parts: AnswerParts, context: RequestContext) {
    this.url = parts.url;
    this.status = parts.status;
    this.header = parts.header;
    this.#parts = parts;
    this.#context = context;
    parts.body.on('error', () => undefined);
  }

  /** Ends the transfer wherever it is; a connection whose answer was read to the end stays open. */
  close(): void {
    if (!this.#parts.body.readableEnded) this.#parts.abort();
  }

  /** Reads a short body to its end, so that the connection can be used again. */
  async discard(): Promise<void> {
    let bytes = 0;
    const timer = setTimeout(() => this.close(), MAX_DISCARDING_MS);
    // A connection that breaks here is one that is not used again.
    await this.read((chunk) => (bytes += chunk.length) > MAX_DISCARDED_BYTES).catch(() => undefined);
    clearTimeout(timer);
  }

  /**
   * Hands out the body as it arrives, until `take` returns true: then the transfer ends there. Resolves with whether it
   * did. Rejects with what `take` throws, and with `RetryableFailure` when the connection breaks or stalls.
   */
  async read(take: (chunk: Uint8Array) => boolean): Promise<boolean> {
    const { body } = this.#parts;
    const { network, meter } = this.#context;
    const { idleMs } = network.timeouts;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<boolean>((resolve, reject) => {
        if (body.destroyed && !body.readableEnded) reject(requestFailure(undefined, this.url, this.#context));
        const stall = (): void =>
          reject(requestFailure(undefined, this.url, this.#context, `sent nothing for ${idleMs} ms`));
        timer = setTimeout(stall, idleMs);
        body.on('data', (chunk: Uint8Array) => {
          timer?.refresh();
          meter.bytes += chunk.length;
          try {
            if (take(chunk)) resolve(true);
          } catch (error) {
            reject(error as Error);
          }
        });
        body.once('end', () => resolve(false));
        body.once('error', (error) => reject(requestFailure(error, this.url, this.#context)));
        body.once('close', () => reject(requestFailure(undefined, this.url, this.#context)));
      });
    } finally {
      clearTimeout(timer);
      body.removeAllListeners('data').pause();
      this.close();
    }
  }
}

/** Why a request failed, as an error of this program. */
export function requestFailure(error: unknown, url: URL, context: RequestContext, timeout?: string): Error {
  if (context.signal?.aborted === true) return cancelled(context.signal);
  if (error instanceof LlmkubeError) return error;
  const where = `cannot read ${redactedUrl(url)}`;
  if (timeout !== undefined) {
    const message = `${where}: ${url.host} ${timeout}; check the network and try again`;
    return new RetryableFailure(new SourceError('SOURCE_TIMEOUT', message));
  }
  const code = errorCode(error);
  const lasting = LASTING[code];
  if (lasting !== undefined) {
    return new SourceError('SOURCE_UNREACHABLE', `${where}: ${lasting} (${url.host})`, { cause: error });
  }
  const reason = code || printable(errorMessage(error)) || 'closed early';
  const message = `${where}: the connection to ${url.host} broke (${reason}); try again`;
  return new RetryableFailure(new SourceError('SOURCE_UNREACHABLE', message, { cause: error }));
}

/** Why a host was not reached: for good, since what could be tried again was. */
export function unreachedFailure({ cause, timeout, code }: Unreached, url: URL, context: RequestContext): Error {
  const failure = requestFailure(cause, url, context, timeout);
  if (!(failure instanceof RetryableFailure)) return failure;
  if (timeout !== undefined) return failure.error;
  const reason = code || printable(errorMessage(cause)) || 'closed early';
  const message = `cannot read ${redactedUrl(url)}: ${url.host} could not be reached (${reason}); check the network and try again`;
  return new SourceError('SOURCE_UNREACHABLE', message, { cause });
}
