import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { bareHost, isOwnAddress, isPrivateAddress } from './addresses.js';
import { type Attempt, Contact, Unreached } from './contact.js';
import { type LookUp, LookUps } from './look-ups.js';
import { type Environment, proxyFor } from './proxies.js';
import type { RetryPolicy } from './retry.js';

/** How long to wait for what, in milliseconds. */
export interface Timeouts {
  /** For a connection, TLS included. */
  readonly connectMs: number;
  /** From sending a request to the first line of its answer, connection included. */
  readonly firstByteMs: number;
  /** Between two pieces of an answer. */
  readonly idleMs: number;
}

/** Slow links answer within these; a server that does not is not going to. */
export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 10_000, firstByteMs: 30_000, idleMs: 20_000 };

/** A host that was tried for as long as so many connections may take, and more than once, is not going to answer. */
const PATIENCE = 2;

export interface NetworkOptions {
  readonly env: Environment;
  readonly timeouts: Timeouts;
  /** How often a host is tried that cannot be connected to. */
  readonly retry: RetryPolicy;
  /** Which addresses a public server must not lead to. */
  readonly isPrivate?: (address: string) => boolean;
  /** For tests; the system's otherwise. */
  readonly lookUp?: LookUp;
}

/** Connections, kept open between requests to the same host; proxies; name look-ups; which hosts cannot be reached. */
export class Network {
  readonly #env: Environment;
  /** Made where something is sent: what they need of Node takes as long as a check. */
  #http: HttpAgent | undefined;
  #https: HttpsAgent | undefined;
  readonly #proxied = new Map<string, Promise<HttpAgent>>();
  /** Ends the connections to proxies that still wait to be led on, of which the agents do not know yet. */
  readonly #closing = new AbortController();
  readonly #contacts = new Map<string, Contact>();
  readonly #lookUps: LookUps;
  readonly #retry: RetryPolicy;
  readonly #isPrivate: (address: string) => boolean;
  readonly timeouts: Timeouts;

  constructor(options: NetworkOptions) {
    this.#env = options.env;
    this.#isPrivate = options.isPrivate ?? isPrivateAddress;
    this.timeouts = options.timeouts;
    this.#retry = options.retry;
    this.#lookUps = new LookUps(options.timeouts.connectMs, options.lookUp);
  }

  /**
   * Does something at a URL's host, in turn with all others that have not reached it yet.
   * @throws Unreached when the host cannot be connected to, and what the attempt throws
   */
  reach<T>(url: URL, signal: AbortSignal | undefined, attempt: Attempt<T>): Promise<T> {
    const known = this.#contacts.get(url.origin);
    const contact = known ?? new Contact(this.#retry, PATIENCE * this.timeouts.connectMs);
    this.#contacts.set(url.origin, contact);
    return contact.through(attempt, signal);
  }

  /** The agent for a URL; loads what proxies need only when there is one. */
  async agentFor(url: URL): Promise<HttpAgent> {
    const secure = url.protocol === 'https:';
    const proxy = proxyFor(url, this.#env);
    if (proxy === undefined) return this.#direct(secure);
    const key = `${url.protocol} ${proxy.href}`;
    const known = this.#proxied.get(key);
    if (known !== undefined) return known;
    const { signal } = this.#closing;
    const agent = secure ? secureProxyAgent(proxy, signal) : plainProxyAgent(proxy, signal);
    this.#proxied.set(key, agent);
    return agent;
  }

  /**
   * Whether a URL leads inside: by its address, or, without a proxy in between, by any address its name has.
   * @throws Unreached for a name that has none
   */
  leadsInside(url: URL, signal?: AbortSignal): Promise<boolean> {
    return this.#leadsTo(this.#isPrivate, url, signal);
  }

  /**
   * The same for what a machine has to itself, such as the metadata that its cloud tells it.
   * @throws Unreached for a name that has no address
   */
  leadsToOwn(url: URL, signal?: AbortSignal): Promise<boolean> {
    return this.#leadsTo(isOwnAddress, url, signal);
  }

  async #leadsTo(isMeant: (address: string) => boolean, url: URL, signal?: AbortSignal): Promise<boolean> {
    const host = bareHost(url.hostname);
    if (isIP(host) !== 0) return isMeant(host);
    if (host === 'localhost' || host.endsWith('.localhost')) return isMeant('127.0.0.1');
    if (proxyFor(url, this.#env) !== undefined) return false;
    return this.reach(url, signal, async () => {
      const addresses = await this.#addressesOf(url);
      return addresses.some(({ address }) => isMeant(address));
    });
  }

  /**
   * Looks a host up that is to be connected to; a proxy looks it up itself.
   * @throws Unreached for a name that has no address
   */
  async lookUp(url: URL): Promise<void> {
    if (proxyFor(url, this.#env) === undefined) await this.#addressesOf(url);
  }

  close(): void {
    this.#http?.destroy();
    this.#https?.destroy();
    void this.#closeProxied();
  }

  async #closeProxied(): Promise<void> {
    for (const agent of await Promise.all(this.#proxied.values())) agent.destroy();
    this.#closing.abort();
  }

  #direct(secure: boolean): HttpAgent {
    const settings = { keepAlive: true, lookup: this.#lookup };
    return secure ? (this.#https ??= new HttpsAgent(settings)) : (this.#http ??= new HttpAgent(settings));
  }

  async #addressesOf(url: URL): ReturnType<LookUp> {
    try {
      return await this.#lookUps.of(bareHost(url.hostname));
    } catch (error) {
      throw error instanceof Unreached ? error : new Unreached(error);
    }
  }

  readonly #lookup: LookupFunction = (host, options, callback) => {
    this.#lookUps.of(host).then(
      (addresses) => {
        const wanted = options.family === 4 || options.family === 6 ? options.family : undefined;
        const usable = addresses.filter(({ family }) => wanted === undefined || family === wanted);
        const [first = addresses[0]] = usable;
        if (options.all === true) callback(null, usable);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

async function secureProxyAgent(proxy: URL, signal: AbortSignal): Promise<HttpAgent> {
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return new HttpsProxyAgent(proxy, { keepAlive: true, signal }) as HttpAgent;
}

async function plainProxyAgent(proxy: URL, signal: AbortSignal): Promise<HttpAgent> {
  const { HttpProxyAgent } = await import('http-proxy-agent');
  return new HttpProxyAgent(proxy, { keepAlive: true, signal }) as HttpAgent;
}
