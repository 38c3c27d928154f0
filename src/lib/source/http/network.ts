import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { bareHost, isPrivateAddress } from './addresses.js';
import { type Environment, proxyFor } from './proxies.js';

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

/** A name server that has not said within this that there is no such host is asked while the connection is prepared. */
const SOON_MS = 500;

/** An address looked up to judge a redirect is the one connected to, also when the name server changes its mind. */
const LOOKUP_KEPT_MS = 60_000;

export interface NetworkOptions {
  readonly env: Environment;
  readonly timeouts: Timeouts;
  /** Which addresses a public server must not lead to. */
  readonly isPrivate?: (address: string) => boolean;
}

/** Connections, kept open between requests to the same host; proxies; name look-ups. */
export class Network {
  readonly #env: Environment;
  /** Made where something is sent: what they need of Node takes as long as a check. */
  #http: HttpAgent | undefined;
  #https: HttpsAgent | undefined;
  readonly #proxied = new Map<string, Promise<HttpAgent>>();
  readonly #lookups = new Map<string, { readonly at: number; readonly addresses: Promise<LookupAddress[]> }>();
  readonly #isPrivate: (address: string) => boolean;
  readonly timeouts: Timeouts;

  constructor(options: NetworkOptions) {
    this.#env = options.env;
    this.#isPrivate = options.isPrivate ?? isPrivateAddress;
    this.timeouts = options.timeouts;
  }

  /** The agent for a URL; loads what proxies need only when there is one. */
  async agentFor(url: URL): Promise<HttpAgent> {
    const secure = url.protocol === 'https:';
    const proxy = proxyFor(url, this.#env);
    if (proxy === undefined) return this.#direct(secure);
    const key = `${url.protocol} ${proxy.href}`;
    const known = this.#proxied.get(key);
    if (known !== undefined) return known;
    const agent = secure ? secureProxyAgent(proxy) : plainProxyAgent(proxy);
    this.#proxied.set(key, agent);
    return agent;
  }

  /** Whether a URL leads inside: by its address, or, without a proxy in between, by any address its name has. */
  async leadsInside(url: URL): Promise<boolean> {
    const host = bareHost(url.hostname);
    if (isIP(host) !== 0) return this.#isPrivate(host);
    if (host === 'localhost' || host.endsWith('.localhost')) return this.#isPrivate('127.0.0.1');
    if (proxyFor(url, this.#env) !== undefined) return false;
    const addresses = await this.#addressesOf(host);
    return addresses.some(({ address }) => this.#isPrivate(address));
  }

  /** Why a host has no address, where that shows soon: without a network, before all that a connection needs is loaded in vain. */
  async lookupError(url: URL): Promise<unknown> {
    if (proxyFor(url, this.#env) !== undefined) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, SOON_MS, undefined);
    });
    const failed = this.#addressesOf(bareHost(url.hostname)).then(
      () => undefined,
      (error: unknown) => error,
    );
    return Promise.race([failed, late]).finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#http?.destroy();
    this.#https?.destroy();
    for (const agent of this.#proxied.values()) void agent.then((opened) => opened.destroy());
  }

  #direct(secure: boolean): HttpAgent {
    const settings = { keepAlive: true, lookup: this.#lookup };
    return secure ? (this.#https ??= new HttpsAgent(settings)) : (this.#http ??= new HttpAgent(settings));
  }

  #addressesOf(host: string): Promise<LookupAddress[]> {
    const now = Date.now();
    const known = this.#lookups.get(host);
    if (known !== undefined && now - known.at < LOOKUP_KEPT_MS) return known.addresses;
    const addresses = promisify(dnsLookup)(host, { all: true });
    this.#lookups.set(host, { at: now, addresses });
    addresses.catch(() => this.#lookups.delete(host));
    return addresses;
  }

  readonly #lookup: LookupFunction = (host, options, callback) => {
    this.#addressesOf(host).then(
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

async function secureProxyAgent(proxy: URL): Promise<HttpAgent> {
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return new HttpsProxyAgent(proxy, { keepAlive: true }) as HttpAgent;
}

async function plainProxyAgent(proxy: URL): Promise<HttpAgent> {
  const { HttpProxyAgent } = await import('http-proxy-agent');
  return new HttpProxyAgent(proxy, { keepAlive: true }) as HttpAgent;
}
