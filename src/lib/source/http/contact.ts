import { errorCode, errorMessage } from '../../error-code.js';
import { table } from '../../table.js';
import { backoffMs, pause, type RetryPolicy, unlessAborted } from './retry.js';

/** Failures that are the same a second later. */
export const LASTING = table({
  ENOTFOUND: 'there is no such host',
  ECONNREFUSED: 'the connection was refused',
  ERR_INVALID_URL: 'the address is not valid',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority; set NODE_EXTRA_CA_CERTS to trust one',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified; set NODE_EXTRA_CA_CERTS to trust its authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate cannot be verified; set NODE_EXTRA_CA_CERTS to trust its authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
});

/** No connection to a host came about. */
export class Unreached extends Error {
  readonly code: string;

  /** @param timeout what was not done in time, where that is why */
  constructor(
    override readonly cause: unknown,
    readonly timeout?: string,
  ) {
    super(timeout ?? errorMessage(cause));
    this.code = errorCode(cause);
  }
}

/** Does something at a host, and says when there is a connection. @throws Unreached where none comes about */
export type Attempt<T> = (connected: () => void) => Promise<T>;

/**
 * What the readings of one command know of one host. While nobody knows whether it can be connected to, one of them tries and the others wait
 * for that; an attempt that fails is made again after a while, and counts for all of them. Where as many failed in a row as the policy allows,
 * or several for as long as `patienceMs`, the host is not asked again. At once it is so for what would fail again in the same way, unless the
 * host was connected to before: then a restart of its server is ridden out. Every connection makes all failures before it forgotten.
 */
export class Contact {
  #failures = 0;
  #failingSince = 0;
  #failure: Unreached | undefined;
  #isOpen = false;
  #wasOpen = false;
  #trial: Promise<void> | undefined;

  constructor(
    private readonly policy: RetryPolicy,
    private readonly patienceMs: number,
  ) {}

  /** @throws Unreached once nothing more is tried, and what the attempt throws */
  async through<T>(attempt: Attempt<T>, signal: AbortSignal | undefined): Promise<T> {
    for (;;) {
      if (this.#failure !== undefined && this.#isGivenUp()) throw this.#failure;
      if (this.#trial !== undefined) {
        await unlessAborted(this.#trial, signal);
        continue;
      }
      try {
        return await (this.#isOpen ? this.#attempt(attempt, signal) : this.#try(attempt, signal));
      } catch (error) {
        if (!(error instanceof Unreached)) throw error;
      }
    }
  }

  /** For all that wait meanwhile. */
  async #try<T>(attempt: Attempt<T>, signal: AbortSignal | undefined): Promise<T> {
    let settle: () => void = () => undefined;
    this.#trial = new Promise((resolve) => (settle = resolve));
    const settled = (): void => {
      this.#trial = undefined;
      settle();
    };
    try {
      if (this.#failures > 0) await pause(backoffMs(this.#failures, this.policy), signal);
      return await this.#attempt(attempt, signal, settled);
    } finally {
      settled();
    }
  }

  async #attempt<T>(attempt: Attempt<T>, signal: AbortSignal | undefined, onSettled?: () => void): Promise<T> {
    const before = this.#failures;
    const startedAt = Date.now();
    let isConnected = false;
    const connected = (): void => {
      isConnected = this.#isOpen = this.#wasOpen = true;
      this.#failures = 0;
      onSettled?.();
    };
    try {
      return await attempt(connected);
    } catch (error) {
      const waitedMs = Date.now() - startedAt;
      if (error instanceof Unreached) this.#count(error, before, startedAt);
      else if (!isConnected && signal?.aborted === true)
        this.#count(new Unreached(undefined, `could not be connected to within ${waitedMs} ms`), before, startedAt);
      throw error;
    }
  }

  /** Attempts that were under way together fail together. */
  #count(failure: Unreached, before: number, startedAt: number): void {
    if (this.#failures > before) return;
    if (before === 0) this.#failingSince = startedAt;
    this.#failures = failure.code in LASTING && !this.#wasOpen ? Infinity : before + 1;
    this.#failure = failure;
    this.#isOpen = false;
  }

  #isGivenUp(): boolean {
    if (this.#failures >= this.policy.attempts) return true;
    return this.#failures > 1 && Date.now() - this.#failingSince >= this.patienceMs;
  }
}
