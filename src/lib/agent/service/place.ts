import type { Running } from './running.js';

/** So many crashes in a row keep a service's memory for it: somewhat more than a minute of back-off. */
const CRASHES_WITH_PLACE = 3;

/**
 * The memory of a service between two processes of it: while another one is to follow, it is kept for that in the ledger, and
 * no other service is told that memory came free.
 */
export class Place {
  #keeps = false;
  #kept: Pick<Running, 'promise' | 'record'> | undefined;

  /** @param onFreed memory may have come free */
  constructor(private readonly onFreed: () => void) {}

  /** What is kept, for what was started before. */
  get record(): Running['record'] | undefined {
    return this.#kept?.record;
  }

  /** Whether another process follows the one that is being ended. */
  keep(keeps: boolean): void {
    this.#keeps = keeps;
  }

  /** Another one soon follows a crash, and is not to find its memory taken; one that crashes again and again gives way. */
  keepAfterCrash(inARow: number): void {
    this.#keeps = inARow <= CRASHES_WITH_PLACE;
  }

  /** Its process is gone. */
  vacate(running: Running): void {
    if (this.#keeps) {
      this.#kept = running;
      void running.promise.keep();
    } else {
      void running.promise.release();
      this.onFreed();
    }
  }

  /** The next process has its own by now, or none follows. */
  leave(): void {
    const kept = this.#kept;
    this.#keeps = false;
    this.#kept = undefined;
    void kept?.promise.release().then(this.onFreed);
  }
}
