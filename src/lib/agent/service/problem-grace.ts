const GRACE_MS = 2_000;

/** What was applied together is not heard of at once: a problem is one when it has lasted. */
export class ProblemGrace {
  #known: { readonly text: string; readonly sinceMs: number } | undefined;

  /** @param onOver it may have lasted by now */
  constructor(private readonly onOver: () => void) {}

  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  hasLasted(text: string): boolean {
    if (this.#known?.text !== text) {
      this.#known = { text, sinceMs: performance.now() };
      setTimeout(this.onOver, GRACE_MS + 100).unref();
    }
    return performance.now() - this.#known.sinceMs >= GRACE_MS;
  }

  forget(): void {
    this.#known = undefined;
  }
}
