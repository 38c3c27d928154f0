import type { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Response } from 'node-fetch';
import { ClusterError } from '../../errors.js';
import { cleanText } from './clean-text.js';
import { connectionError, credentialsError, interrupted, isBrokenConnection } from './connection-errors.js';
import type { ApiStatus } from './errors.js';

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** The answer goes on for as long as the server likes. */
  readonly streaming?: boolean;
}

const REQUEST_TIMEOUT_MS = 30_000;
const MAX_ATTEMPTS = 4;
const MAX_PAUSE_MS = 5_000;
const LONGEST_FOREIGN_ANSWER = 200;

/** HTTP to one API server, with the credentials of a kubeconfig. */
export class Transport {
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #secrets: readonly string[];

  /** @param secrets values that no message may repeat */
  constructor(config: KubeConfig, secrets: readonly string[]) {
    const user = config.getCurrentUser();
    this.#config = config;
    this.#secrets = [...secrets, user?.token, user?.password].filter((secret) => secret !== undefined);
    this.server = config.getCurrentCluster()?.server ?? '';
  }

  /**
   * Waits and asks again when the server says it is busy, or when the connection breaks: every request made here may
   * be repeated.
   * @throws ClusterError when there is no answer
   */
  async send(request: HttpRequest): Promise<Response> {
    const { signal } = request;
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === MAX_ATTEMPTS;
      try {
        const response = await this.#fetch(request);
        if (response.status !== 429 || isLast) return response;
        await delay(pauseMs(response, attempt), undefined, signal && { signal });
      } catch (error) {
        if (signal?.aborted) throw interrupted();
        if (error instanceof ClusterError) throw error;
        if (isLast || !isBrokenConnection(error)) throw connectionError(error, this.server);
      }
    }
  }

  async json(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw connectionError(error, this.server);
      throw new ClusterError(
        'CLUSTER_UNEXPECTED_ANSWER',
        `${this.server} does not answer like a Kubernetes API server`,
        { suggestions: ['check the server address in the kubeconfig, and any proxy or login page in between'] },
      );
    }
  }

  /** The reason that an answer is not a success, fit to be shown. */
  async status(response: Response): Promise<ApiStatus> {
    const text = await response.text().catch(() => '');
    const clean = (dirty: string) => cleanText(dirty, this.#secrets);
    const { message, details } = parseStatus(text) ?? {
      message: text.slice(0, LONGEST_FOREIGN_ANSWER) || response.statusText,
    };
    if (details === undefined) return { code: response.status, message: clean(message) };
    const causes = details.causes?.map((cause) => ({ ...cause, message: clean(cause.message ?? '') }));
    return {
      code: response.status,
      message: clean(message),
      details: causes === undefined ? details : { ...details, causes },
    };
  }

  async #fetch({ method, path, query = {}, body, contentType, signal, streaming }: HttpRequest): Promise<Response> {
    const { default: fetch } = await import('node-fetch');
    const url = new URL(this.server + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const { agent, headers } = await this.#authenticate();
    const signals = [...(signal ? [signal] : []), ...(streaming ? [] : [AbortSignal.timeout(REQUEST_TIMEOUT_MS)])];
    return fetch(url, {
      method,
      headers: { ...headers, accept: 'application/json', ...(contentType && { 'content-type': contentType }) },
      redirect: 'manual',
      signal: AbortSignal.any(signals),
      ...(body !== undefined && { body }),
      ...(agent && { agent }),
    });
  }

  /** Verification of certificates is asked for outright, so that no environment variable can turn it off. */
  async #authenticate(): Promise<{ agent: Agent | undefined; headers: Record<string, string> }> {
    const rejectUnauthorized = this.#config.getCurrentCluster()?.skipTLSVerify !== true;
    try {
      const { agent, headers } = await this.#config.applyToFetchOptions({ rejectUnauthorized });
      const pairs = Object.fromEntries(headers as unknown as Iterable<[string, string]>);
      return { agent: agent as Agent | undefined, headers: pairs };
    } catch (error) {
      throw credentialsError(error, (text) => cleanText(text, this.#secrets));
    }
  }
}

function parseStatus(text: string): Omit<ApiStatus, 'code'> | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<ApiStatus>;
    return typeof parsed.message === 'string' ? { ...parsed, message: parsed.message } : undefined;
  } catch {
    return undefined;
  }
}

function pauseMs(response: Response, attempt: number): number {
  const seconds = Number(response.headers.get('retry-after') ?? attempt);
  return Math.min((Number.isFinite(seconds) ? seconds : attempt) * 1000, MAX_PAUSE_MS);
}
