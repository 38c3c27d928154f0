import { HeaderCache } from './cache/header-cache.js';
import type { Meter, RequestContext } from './http/http-answer.js';
import { type Hub, hubFrom } from './hub/hub-urls.js';
import { DEFAULT_TIMEOUTS, Network, type Timeouts } from './http/network.js';
import type { Environment } from './http/proxies.js';
import { DEFAULT_RETRY, type RetryPolicy } from './http/retry.js';
import { SourceError } from './source-error.js';
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
  /** The most that one reading takes, whatever it waits for; `DEFAULT_READING_MS` unless said otherwise. */
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

/** A header of 16 MB at 1 Mbit/s; who reads more slowly can say so with --read-timeout. */
const DEFAULT_READING_MS = 120_000;

/** What a timer of Node can count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
    ...(options.isPrivateAddress === undefined ? {} : { isPrivate: options.isPrivateAddress }),
  });
}

/** Runs `work` with a session made from the options; connections that it opened itself are closed afterwards. */
export async function inSession<T>(options: ReadOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const { onProgress, offline = false } = options;
  const network = options.network ?? createNetwork(options);
  const folders = options.folders ?? new FolderNames(options.env ?? {});
  const meter = { requests: 0, bytes: 0 };
  const deadline = new Deadline(options.signal, options.readingMs ?? DEFAULT_READING_MS);
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

/**
 * The most that a reading takes, with a timer of its own: a signal made of others may be collected before it fires (Node 20). A signal is
 * made when it is asked for: what is neither on this machine nor asked for elsewhere needs none, and a catalogue has thousands of those.
 */
class Deadline {
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    private readonly outer: AbortSignal | undefined,
    private readonly ms: number,
  ) {}

  /** Aborted by the caller's signal, or when the time is over. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#isOver || this.outer?.aborted === true) this.#abort();
    this.outer?.addEventListener('abort', this.#abort);
    return this.#controller.signal;
  }

  /**
   * What the work gives, unless the time is over before; work that cannot be aborted, such as a name look-up, is then left behind.
   * @throws SourceError SOURCE_TIMEOUT, and what the work throws
   */
  over<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pass = (): void => {
        const message = `reading was not finished within ${this.ms / 1000} s; try again, or allow more with --read-timeout`;
        this.#isOver = true;
        reject(new SourceError('SOURCE_TIMEOUT', message));
        this.#abort();
      };
      this.#timer = setTimeout(pass, Math.min(this.ms, LONGEST_TIMER_MS));
      work().then(resolve, reject);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#controller !== undefined) this.outer?.removeEventListener('abort', this.#abort);
  }

  #abort = (): void => this.#controller?.abort(this.outer?.reason);
}
