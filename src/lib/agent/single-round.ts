import { setTimeout as delay } from 'node:timers/promises';
import { ClusterError } from '../errors.js';

const LOOK_MS = 200;
/** So many looks in a row that find nothing under way. */
const CALM_LOOKS = 3;
/** A cluster that has not told what there is by then does not. */
const LONGEST_SILENCE_MS = 30_000;
/** What does not pass by itself: nobody waits for it who does not stay. */
const FINAL = new Set([
  ...['FORBIDDEN', 'UNAUTHORIZED', 'CREDENTIALS_FAILED', 'CLUSTER_CERTIFICATE', 'CLUSTER_UNEXPECTED_ANSWER'],
  ...['LLMKUBE_NOT_INSTALLED', 'NAMESPACE_NOT_FOUND', 'OPERATOR_TOO_OLD', 'INVALID_RESOURCE', 'CLUSTER_REFUSED'],
]);

interface Round {
  /** Everything is known. */
  readonly synced: () => boolean;
  /** Every service stays as it is until something else happens. */
  readonly settled: () => boolean;
}

/** An agent that takes every service to where it stays, and ends. */
export class SingleRound {
  #last: ClusterError | undefined;
  #final: ClusterError | undefined;

  /** Something that was asked of the cluster has failed. */
  readonly fails = (error: unknown): void => {
    if (!(error instanceof ClusterError)) return;
    this.#last = error;
    if (FINAL.has(error.code)) this.#final ??= error;
  };

  /** @throws ClusterError for one that does not let the agent do its work, or does not answer */
  async end({ synced, settled }: Round, signal: AbortSignal): Promise<void> {
    const startedAtMs = performance.now();
    for (let calm = 0; calm < CALM_LOOKS && !signal.aborted;) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
      const isSilent = !synced() && performance.now() - startedAtMs > LONGEST_SILENCE_MS;
      const failure = this.#final ?? (isSilent ? this.#last : undefined);
      if (failure !== undefined) throw failure;
      calm = synced() && settled() ? calm + 1 : 0;
    }
  }
}
