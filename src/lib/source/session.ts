import { HeaderCache } from './header-cache.js';
import type { Meter, RequestContext } from './http/http-answer.js';
import { type Hub, hubFrom } from './hub/hub-urls.js';
import { DEFAULT_TIMEOUTS, Network, type Timeouts } from './http/network.js';
import type { Environment } from './http/proxies.js';
import { DEFAULT_RETRY, type RetryPolicy } from './http/retry.js';

export interface ReadOptions {
  /** Answer from what was read before; send nothing. */
  readonly offline?: boolean;
  /** Ends everything under way; the reading then fails with `SOURCE_CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** The program's cache folder (oclif's `config.cacheDir`); without one nothing is kept or found. */
  readonly cacheDir?: string | undefined;
  /** `HF_ENDPOINT`, `HF_TOKEN`, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`; usually `process.env`. */
  readonly env?: Environment;
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
  /** Which addresses a public server must not redirect to; for tests. */
  readonly isPrivateAddress?: (address: string) => boolean;
  /** Connections to share between several readings; the caller closes them. */
  readonly network?: Network;
}

export interface ReadProgress {
  /** Without anything secret. */
  readonly url: string;
  /** Of this file so far. */
  readonly receivedBytes: number;
}

/** What one reading works with. */
export interface Session {
  readonly hub: Hub;
  readonly cache: HeaderCache;
  readonly policy: RetryPolicy;
  readonly meter: Meter;
  readonly context: RequestContext;
  readonly offline: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ReadProgress) => void) | undefined;
}

export function createNetwork(options: ReadOptions): Network {
  return new Network({
    env: options.env ?? {},
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    ...(options.isPrivateAddress === undefined ? {} : { isPrivate: options.isPrivateAddress }),
  });
}

/** Runs `work` with a session made from the options; connections that it opened itself are closed afterwards. */
export async function inSession<T>(options: ReadOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const { signal, onProgress, offline = false } = options;
  const network = options.network ?? createNetwork(options);
  const meter = { requests: 0, bytes: 0 };
  try {
    return await work({
      hub: hubFrom(options.env ?? {}),
      cache: new HeaderCache(options.cacheDir),
      policy: { ...DEFAULT_RETRY, ...options.retry },
      meter,
      context: { network, meter, signal },
      offline,
      signal,
      onProgress,
    });
  } finally {
    if (options.network === undefined) network.close();
  }
}
