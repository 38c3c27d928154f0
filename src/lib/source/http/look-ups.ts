import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { Unreached } from './contact.js';

/** An address looked up to judge a redirect is the one connected to, also when the name server changes its mind. */
const KEPT_MS = 60_000;

/** Node looks names up in the four threads that it reads files with, too. */
const AT_ONCE = 3;

/** All addresses of a host. */
export type LookUp = (host: string) => Promise<LookupAddress[]>;

interface Known {
  readonly at: number;
  /** When a thread is free for it. */
  readonly begun: Promise<void>;
  readonly addresses: Promise<LookupAddress[]>;
}

/** Names looked up, each once; a few at a time, those first that nothing was found out about before. */
export class LookUps {
  readonly #known = new Map<string, Known>();
  readonly #failed = new Set<string>();
  readonly #first: (() => void)[] = [];
  readonly #again: (() => void)[] = [];
  #running = 0;

  constructor(
    private readonly limitMs: number,
    private readonly ask: LookUp = (host) => promisify(dnsLookup)(host, { all: true }),
  ) {}

  /** @throws Unreached when there is no answer in time, not counted what it waits for others; what the system says otherwise */
  async of(host: string): Promise<LookupAddress[]> {
    if (isIP(host) !== 0) return this.ask(host);
    const now = Date.now();
    const before = this.#known.get(host);
    const known = before !== undefined && now - before.at < KEPT_MS ? before : this.#begin(host, now);
    await known.begun;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const expire = (): void => reject(new Unreached(undefined, `could not be looked up within ${this.limitMs} ms`));
      timer = setTimeout(expire, this.limitMs);
    });
    return Promise.race([known.addresses, late]).finally(() => clearTimeout(timer));
  }

  #begin(host: string, at: number): Known {
    const begun = this.#turn(this.#failed.has(host) ? this.#again : this.#first);
    const addresses = begun.then(() => this.ask(host)).finally(() => this.#next());
    const known = { at, begun, addresses };
    this.#known.set(host, known);
    addresses.catch(() => {
      this.#failed.add(host);
      this.#known.delete(host);
    });
    return known;
  }

  #turn(waiting: (() => void)[]): Promise<void> {
    if (this.#running++ < AT_ONCE) return Promise.resolve();
    return new Promise((resolve) => waiting.push(resolve));
  }

  #next(): void {
    this.#running--;
    (this.#first.shift() ?? this.#again.shift())?.();
  }
}
