import { failedAgain, type Failures } from '../core/back-off.js';

/** How soon a service that does not fit is tried again when nobody says that memory came free. */
const RECHECK_MS = 180_000;

/** What came of the starts of one service in a row, as long as nothing about them changes. */
export class Attempts {
  #failures: (Failures & { readonly attempt: string }) | undefined;

  get failures(): Failures | undefined {
    return this.#failures;
  }

  get count(): number {
    return this.#failures?.count ?? 0;
  }

  /** Another attempt than those that failed has not failed yet. @param attempt of `attemptOf` */
  about(attempt: string): void {
    if (this.#failures?.attempt !== attempt) this.#failures = undefined;
  }

  /** Memory came free, or may have by then: no failure of the service itself. */
  postpone(attempt: string): void {
    this.#failures = { count: 0, retryAtMs: performance.now() + RECHECK_MS, attempt };
  }

  /** @param anew what failed before had been over */
  failed(attempt: string, anew = false): void {
    const before = anew || this.count === 0 ? undefined : this.#failures;
    this.#failures = { ...failedAgain(before, performance.now()), attempt };
  }

  /** Tried at once, where it was tried before. */
  retry(): boolean {
    if (this.#failures === undefined) return false;
    this.#failures = { ...this.#failures, retryAtMs: 0 };
    return true;
  }

  forget(): void {
    this.#failures = undefined;
  }
}
