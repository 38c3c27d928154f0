import { HeaderCache } from './cache/header-cache.js';
import { type Deadline, readingDeadline } from './deadline.js';
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
  /** Where a source is not there, its folder or its hub is asked once more, for what is called nearly the same; false: it is not. */
  readonly asksWhatWasMeant?: boolean;
  /** What is known of this machine's folders, to share between several readings that are done together. */
  readonly folders?: FolderNames;
  /** What was read before, to share like them. */
  readonly cache?: HeaderCache;
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
  /** Whether what is called nearly the same is looked for. */
  readonly suggests: boolean;
  /** Whether the hub is asked for it. */
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

/** Offline, only what was kept before is asked for. */
export function cacheOf({ cacheDir, offline = false }: ReadOptions, folders: FolderNames): HeaderCache {
  return new HeaderCache(cacheDir, offline ? folders : undefined);
}

/** Runs `work` with a session made from the options; connections that it opened itself are closed afterwards. */
export async function inSession<T>(options: ReadOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const network = options.network ?? createNetwork(options);
  const deadline = readingDeadline(options.signal, options.readingMs);
  try {
    return await deadline.over(() => work(new ReadingSession(options, network, deadline)));
  } finally {
    deadline.stop();
    if (options.network === undefined) network.close();
  }
}

/** A class: V8 describes every object literal with getters anew, and keeps what those refer to until the whole heap is looked through. */
class ReadingSession implements Session, RequestContext {
  readonly hub: Hub;
  readonly cache: HeaderCache;
  readonly env: Environment;
  readonly folders: FolderNames;
  readonly policy: RetryPolicy;
  readonly meter: Meter = { requests: 0, bytes: 0 };
  readonly offline: boolean;
  readonly suggests: boolean;
  readonly asksWhatWasMeant: boolean;
  readonly onProgress: Session['onProgress'];

  constructor(
    options: ReadOptions,
    readonly network: Network,
    private readonly deadline: Deadline,
  ) {
    this.env = options.env ?? {};
    this.hub = hubFrom(this.env);
    this.folders = options.folders ?? new FolderNames(this.env);
    this.offline = options.offline === true;
    this.cache = options.cache ?? cacheOf(options, this.folders);
    this.policy = { ...DEFAULT_RETRY, ...options.retry };
    this.suggests = options.asksWhatWasMeant !== false;
    this.asksWhatWasMeant = this.suggests && !this.offline;
    this.onProgress = options.onProgress;
  }

  get context(): RequestContext {
    return this;
  }

  /** Made when it is asked for. */
  get signal(): AbortSignal {
    return this.deadline.signal;
  }
}
