import type { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Response } from 'node-fetch';
import { TooManyValues } from '../../bounded-json.js';
import { ClusterError } from '../../errors.js';
import { cleanText } from './clean-text.js';
import {
  connectionError,
  credentialsError,
  interrupted,
  isBrokenConnection,
  noAnswerInTime,
  otherProtocol,
  TooLargeAnswer,
} from './connection-errors.js';
import { parseObject } from './answers/large-objects.js';
import { type ApiStatus, parseStatus } from './status-errors.js';
import type { ExecCredentials } from './exec-credentials.js';
import { answered, KeptAgent } from './kept-agent.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly ok: boolean;
  readonly code: number;
  readonly statusText: string;
  readonly text: string;
}

/** For a call with its answer and repetitions, once the credentials are there; a server that takes longer is not going to answer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A page of a list is half a megabyte; one object is at most 1.5 MB in etcd. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20;
/** One event of a watch, in characters. */
const MAX_EVENT_LENGTH = 2 * 2 ** 20;
/** In a row between events of a watch, which a server ends with one line break each. */
const MAX_BLANK_LINES = 1000;
const MAX_ATTEMPTS = 4;
const MAX_PAUSE_MS = 5_000;
const LONGEST_FOREIGN_ANSWER = 200;
/** In characters: webhooks say what is wrong in some lines. */
const LONGEST_REFUSAL = 8192;
/** A person mends some and asks again. */
const MOST_CAUSES = 64;
/** Too many requests, and a server that starts or whose storage does not answer. */
const BUSY: ReadonlySet<number> = new Set([429, 503, 504]);
const NEVER_BUSY: ReadonlySet<number> = new Set();

/** HTTP to one API server, with the credentials of a kubeconfig. */
export class Transport {
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #secrets: readonly string[];
  readonly #plugin: ExecCredentials | undefined;
  readonly #timeoutMs: number;
  readonly #agents = new KeptAgent();

  /** @param secrets values that no message may repeat */
  constructor(
    config: KubeConfig,
    secrets: readonly string[],
    {
      plugin,
      timeoutMs = REQUEST_TIMEOUT_MS,
    }: { plugin?: ExecCredentials | undefined; timeoutMs?: number | undefined },
  ) {
    this.#config = config;
    this.#secrets = secrets;
    this.#plugin = plugin;
    this.#timeoutMs = timeoutMs;
    this.server = config.getCurrentCluster()?.server ?? '';
  }

  /**
   * The whole answer. Waits and asks again when the server says it is busy, or when the connection breaks: every request
   * made here may be repeated.
   * @throws ClusterError when there is none in time, or it is too large
   */
  async send(request: HttpRequest): Promise<Answer> {
    return this.#ask(request, (response) => this.#whole(response));
  }

  /**
   * An answer that goes on for as long as the server likes, line by line; one that is not a success comes whole. A busy
   * server is the caller's business.
   */
  async stream(request: HttpRequest & { readonly signal: AbortSignal }): Promise<Answer | AsyncIterable<string>> {
    const take = async (response: Response) =>
      response.ok ? this.#lines(response, request.signal) : this.#whole(response);
    return this.#ask(request, take, NEVER_BUSY);
  }

  parsed(text: string): unknown {
    try {
      return parseObject(text);
    } catch (error) {
      if (error instanceof TooManyValues)
        throw this.unexpected('sends an object of more values than any has that is used');
      throw this.unexpected('does not answer like a Kubernetes API server');
    }
  }

  unexpected(problem: string): ClusterError {
    return new ClusterError('CLUSTER_UNEXPECTED_ANSWER', `${this.server} ${problem}`, {
      suggestions: ['check the server address in the kubeconfig, and any proxy or login page in between'],
    });
  }

  /** The reason that an answer is not a success, fit to be shown. */
  status({ code, statusText, text }: Answer): ApiStatus {
    const clean = (dirty: unknown) => this.#clean(String(dirty ?? '').slice(0, LONGEST_REFUSAL));
    const { message, details } = parseStatus(text) ?? { message: text.slice(0, LONGEST_FOREIGN_ANSWER) || statusText };
    if (details === undefined) return { code, message: clean(message) };
    const causes = (Array.isArray(details.causes) ? details.causes.slice(0, MOST_CAUSES) : [])
      .filter((cause) => typeof cause === 'object' && cause !== null)
      .map(({ reason, message: why, field }) => ({ reason: clean(reason), message: clean(why), field: clean(field) }));
    const { name, kind } = details;
    return {
      code,
      message: clean(message),
      details: {
        ...(name !== undefined && { name: clean(name) }),
        ...(kind !== undefined && { kind: clean(kind) }),
        causes,
      },
    };
  }

  async #ask<T>(
    request: HttpRequest,
    take: (response: Response) => Promise<T>,
    busy: ReadonlySet<number> = BUSY,
  ): Promise<T> {
    await this.#logIn(request.signal);
    return this.#inTime(request.signal, (limited) => this.#tryUntilAnswered(request, limited, take, busy));
  }

  async #tryUntilAnswered<T>(
    request: HttpRequest,
    limited: AbortSignal,
    take: (response: Response) => Promise<T>,
    busy: ReadonlySet<number>,
  ): Promise<T> {
    const { signal } = request;
    for (let attempt = 1; ; attempt += 1) {
      if (signal?.aborted) throw interrupted();
      const isLast = attempt === MAX_ATTEMPTS;
      try {
        const response = await this.#fetch(request, limited);
        if (isLast || !busy.has(response.status)) return await take(response);
        await this.#whole(response);
        await delay(pauseMs(response, attempt), undefined, { signal: limited });
      } catch (error) {
        if (signal?.aborted) throw interrupted();
        if (error instanceof ClusterError) throw error;
        if (isLast || !isBrokenConnection(error)) throw connectionError(error, this.server);
      }
    }
  }

  /** A timer of its own: what `AbortSignal.any` makes of `AbortSignal.timeout` may be collected before it fires (Node 20). */
  async #inTime<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    let isLate = false;
    const abort = (): void => controller.abort();
    const timer = setTimeout(() => {
      isLate = true;
      abort();
    }, this.#timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await work(controller.signal);
    } catch (error) {
      throw isLate ? noAnswerInTime(this.server) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async #fetch({ method, path, query = {}, body, contentType }: HttpRequest, signal: AbortSignal): Promise<Response> {
    const { default: fetch } = await import('node-fetch');
    const url = new URL(this.server + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const { agent, headers } = await this.#authenticate(signal);
    const init = {
      method,
      headers: { ...headers, accept: 'application/json', ...(contentType && { 'content-type': contentType }) },
      redirect: 'manual',
      signal,
      ...(body !== undefined && { body }),
      ...(agent && { agent }),
    } as const;
    return answered(
      () => fetch(url, init),
      () => otherProtocol(this.server),
    );
  }

  async #whole(response: Response): Promise<Answer> {
    const chunks: Buffer[] = [];
    let received = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > MAX_ANSWER_BYTES) throw new TooLargeAnswer(this.server, MAX_ANSWER_BYTES);
      chunks.push(chunk);
    }
    const { ok, status: code, statusText } = response;
    return { ok, code, statusText, text: Buffer.concat(chunks).toString('utf8') };
  }

  async *#lines(response: Response, signal: AbortSignal): AsyncGenerator<string> {
    const body = response.body as Readable;
    const end = (): void => void body.destroy();
    signal.addEventListener('abort', end, { once: true });
    const decoder = new TextDecoder();
    // In pieces, so that a long line is not searched again with every piece of it.
    let pending: string[] = [];
    let pendingLength = 0;
    let blank = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n');
        pending.push(first);
        pendingLength += first.length;
        if (pendingLength > MAX_EVENT_LENGTH) throw new TooLargeAnswer(this.server, MAX_EVENT_LENGTH);
        if (more.length === 0) continue;
        const lines = [pending.join(''), ...more];
        pending = [lines.pop() ?? ''];
        pendingLength = pending[0]?.length ?? 0;
        for (const line of lines) {
          blank = line.trim() === '' ? blank + 1 : 0;
          if (blank === 0) yield line;
          if (blank > MAX_BLANK_LINES) throw this.unexpected('sends blank lines without end');
        }
      }
    } catch (error) {
      if (error instanceof ClusterError) throw error;
      throw signal.aborted ? interrupted() : connectionError(error, this.server);
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
    if (signal.aborted) throw interrupted();
  }

  /** Before the call's own time begins, since a plugin may have a person log in. */
  async #logIn(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#plugin?.refresh(signal);
    } catch (error) {
      if (signal?.aborted) throw interrupted();
      throw this.#noCredentials(error);
    }
  }

  /** Verification of certificates is asked for outright, so that no environment variable can turn it off. */
  async #authenticate(signal: AbortSignal): Promise<{ agent: Agent | undefined; headers: Record<string, string> }> {
    const rejectUnauthorized = this.#config.getCurrentCluster()?.skipTLSVerify !== true;
    try {
      const { agent, headers } = await this.#config.applyToFetchOptions({ rejectUnauthorized });
      const pairs = Object.fromEntries(headers as unknown as Iterable<[string, string]>);
      return { agent: this.#agents.kept(agent as Agent | undefined, signal), headers: pairs };
    } catch (error) {
      throw this.#noCredentials(error);
    }
  }

  #noCredentials(error: unknown): ClusterError {
    return error instanceof ClusterError ? error : credentialsError(error, (text) => this.#clean(text));
  }

  #clean(text: string): string {
    const { token, password } = this.#config.getCurrentUser() ?? {};
    return cleanText(
      text,
      [...this.#secrets, token, password].filter((secret) => secret !== undefined),
    );
  }
}

function pauseMs(response: Response, attempt: number): number {
  const seconds = Number(response.headers.get('retry-after') ?? attempt);
  return Math.min((Number.isFinite(seconds) ? seconds : attempt) * 1000, MAX_PAUSE_MS);
}
