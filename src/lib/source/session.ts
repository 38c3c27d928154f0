import { HeaderCache } from './cache/header-cache.js';
import { readingDeadline } from './deadline.js';
import type { Meter, RequestContext } from './http/http-answer.js';
import { type Hub, hubFrom } from './hub/hub-urls.js';
import { DEFAULT_TIMEOUTS, Network, type Timeouts } from './http/network.js';
import type { Environment } from './http/proxies.js';
import { DEFAULT_RETRY, type RetryPolicy } from './http/retry.js';
import { FolderNames } from './stores/folder-names.js';

export interface ReadOptions {
  /** Answer from what was read before; send nothing. */
  readonly offline?: boolean;
  /** Ends everything under way; the reading then fails with `SOURCE_CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** The program's cache folder (oclif's `config.cacheDir`); without one nothing is kept or found. */
  readonly cacheDir?: string | undefined;
  /** `HF_ENDPOINT`, `HF_TOKEN`, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, where other programs keep models; usually `process.env`. */
  readonly env?: Environment;
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
  /** The most that one reading takes, whatever it waits for; 120 s unless said otherwise. */
  readonly readingMs?: number | undefined;
  /** Which addresses a public server must not redirect to; for tests. */
  readonly isPrivateAddress?: (address: string) => boolean;
  /** Connections to share between several readings; the caller closes them. */
  readonly network?: Network;
  /** Where a source is not there, its hub is asked once more, for what is called nearly the same. */
  readonly asksWhatWasMeant?: boolean;
  /** What is known of this machine's folders, to share between several readings that are done together. */
  readonly folders?: FolderNames;
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
  /** Where other programs keep models is told by it. */
  readonly env: Environment;
  readonly folders: FolderNames;
  readonly policy: RetryPolicy;
  readonly meter: Meter;
  readonly context: RequestContext;
  readonly offline: boolean;
  readonly asksWhatWasMeant: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ReadProgress) => void) | undefined;
}

export function createNetwork(options: ReadOptions): Network {
  return new Network({
    env: options.env ?? {},
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    retry: { ...DEFAULT_RETRY, ...options.retry },
    ...(options.isPrivateAddress === undefined ? {} : { isPrivate: options.isPrivateAddress }),
  });
}

/** Runs `work` with a session made from the options; connections that it opened itself are closed afterwards. */
export async function inSession<T>(options: ReadOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const { onProgress, offline = false } = options;
  const network = options.network ?? createNetwork(options);
  const folders = options.folders ?? new FolderNames(options.env ?? {});
  const meter = { requests: 0, bytes: 0 };
  const deadline = readingDeadline(options.signal, options.readingMs);
  try {
    return await deadline.over(() =>
      work({
        hub: hubFrom(options.env ?? {}),
        cache: new HeaderCache(options.cacheDir, offline ? folders : undefined),
        env: options.env ?? {},
        folders,
        policy: { ...DEFAULT_RETRY, ...options.retry },
        meter,
        context: {
          network,
          meter,
          get signal() {
            return deadline.signal;
          },
        },
        offline,
        asksWhatWasMeant: options.asksWhatWasMeant !== false && !offline,
        get signal() {
          return deadline.signal;
        },
        onProgress,
      }),
    );
  } finally {
    deadline.stop();
    if (options.network === undefined) network.close();
  }
}
