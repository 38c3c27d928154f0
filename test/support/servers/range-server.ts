import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A file to serve: some bytes, and zeros up to its size. */
export interface ServedFile {
  readonly start: Uint8Array;
  readonly size?: number;
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong with one answer. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing more comes after so many bytes of the body; -1: not even the headers. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'headers'; readonly headers: Record<string, string | undefined> }
  /** As a server that knows no ranges: 200 and everything. */
  | { readonly kind: 'whole' };

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of the body handed to the connection so far. */
  bodyBytes: number;
}

export interface LinkOptions {
  /** A round trip: once for each new connection, once for each answer. */
  readonly latencyMs?: number;
  /** For the whole server. */
  readonly bytesPerSecond?: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const SLICE_BYTES = 16 * 1024;

/** An HTTP server on loopback that answers ranges as a CDN does, over a link as slow as wanted, and counts. */
export class RangeServer {
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #link: LinkOptions;
  readonly #files = new Map<string, ServedFile>();
  readonly #handlers = new Map<string, Handler>();
  readonly #faults = new Map<string, Fault[]>();
  readonly #greeted = new WeakSet<Socket>();
  /** When the link has sent all it was given, on the clock of `performance.now()`. */
  #linkFreeAtMs = 0;
  #active = 0;
  mostActive = 0;

  private constructor(link: LinkOptions) {
    this.#link = link;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(link: LinkOptions = {}): Promise<RangeServer> {
    const server = new RangeServer(link);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get bodyBytes(): number {
    return this.requests.reduce((sum, request) => sum + request.bodyBytes, 0);
  }

  url(path: string): string {
    return this.origin + path;
  }

  serve(path: string, file: ServedFile): this {
    this.#files.set(path, file);
    return this;
  }

  handle(path: string, handler: Handler): this {
    this.#handlers.set(path, handler);
    return this;
  }

  redirect(path: string, location: string, headers: Record<string, string> = {}, status = 302): this {
    return this.handle(path, (_, response) => {
      response.writeHead(status, { location, ...headers }).end();
    });
  }

  json(path: string, value: unknown, headers: Record<string, string> = {}): this {
    return this.handle(path, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    });
  }

  /** The next answers for this path go wrong in these ways, one each. */
  fail(path: string, ...faults: Fault[]): this {
    this.#faults.set(path, [...(this.#faults.get(path) ?? []), ...faults]);
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.origin).pathname;
    const record = { method: request.method ?? '', path, headers: request.headers, bodyBytes: 0 };
    this.requests.push(record);
    this.mostActive = Math.max(this.mostActive, ++this.#active);
    response.once('close', () => this.#active--);
    response.on('error', () => response.destroy());
    const { latencyMs = 0 } = this.#link;
    const roundTrips = this.#greeted.has(request.socket) ? 1 : 2;
    this.#greeted.add(request.socket);
    if (latencyMs > 0) await delay(roundTrips * latencyMs);
    const fault = this.#faults.get(path)?.shift();
    const file = this.#files.get(path);
    const handler = this.#handlers.get(path);
    if (fault?.kind === 'status') response.writeHead(fault.status, fault.headers).end(fault.body);
    else if (fault?.kind === 'stall' && fault.afterBytes < 0) return;
    else if (handler !== undefined) await handler(request, response);
    else if (file === undefined) response.writeHead(404).end('no such file');
    else await this.#sendFile(file, fault, request, response, record);
  }

  async #sendFile(
    file: ServedFile,
    fault: Fault | undefined,
    request: IncomingMessage,
    response: ServerResponse,
    record: RecordedRequest,
  ): Promise<void> {
    const size = file.size ?? file.start.length;
    const etag = file.etag === undefined ? {} : { etag: file.etag };
    if (file.etag !== undefined && request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, etag).end();
      return;
    }
    const condition = request.headers['if-range'];
    const asked = condition === undefined || condition === file.etag ? request.headers.range : undefined;
    const range = /^bytes=(\d+)-(\d*)$/.exec(asked ?? '');
    const whole = range === null || fault?.kind === 'whole';
    const from = whole ? 0 : Number(range[1]);
    const to = whole || range[2] === '' ? size : Math.min(size, Number(range[2]) + 1);
    if (from >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    }
    const headers: Record<string, string | number | undefined> = {
      'content-type': 'application/octet-stream',
      'content-length': to - from,
      ...(whole ? {} : { 'content-range': `bytes ${from}-${to - 1}/${size}`, 'accept-ranges': 'bytes' }),
      ...etag,
      ...file.headers,
      ...(fault?.kind === 'headers' ? fault.headers : {}),
    };
    const defined = Object.entries(headers).filter(([, value]) => value !== undefined);
    response.writeHead(whole ? 200 : 206, Object.fromEntries(defined) as Record<string, string>);
    const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? from + fault.afterBytes : to;
    await this.#sendBytes(file.start, from, Math.min(to, limit), response, record);
    if (fault?.kind === 'cut') response.destroy();
    else if (fault?.kind !== 'stall') response.end();
  }

  async #sendBytes(
    start: Uint8Array,
    from: number,
    to: number,
    response: ServerResponse,
    record: RecordedRequest,
  ): Promise<void> {
    this.#linkFreeAtMs = Math.max(performance.now(), this.#linkFreeAtMs);
    for (let at = from; at < to && !response.destroyed; at += SLICE_BYTES) {
      const end = Math.min(at + SLICE_BYTES, to);
      const slice = Buffer.alloc(end - at);
      slice.set(start.subarray(Math.min(at, start.length), Math.min(end, start.length)));
      await this.#waitForLink(slice.length);
      if (response.destroyed) return;
      record.bodyBytes += slice.length;
      if (!response.write(slice)) {
        await drained(response);
      }
    }
  }

  /** Resolves when the link has carried so many bytes more; timers are coarse, so it may be early by 1 ms. */
  async #waitForLink(bytes: number): Promise<void> {
    const { bytesPerSecond } = this.#link;
    if (bytesPerSecond === undefined) return;
    this.#linkFreeAtMs += (bytes / bytesPerSecond) * 1000;
    const waitMs = this.#linkFreeAtMs - performance.now();
    if (waitMs >= 1) await delay(waitMs);
  }
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}
