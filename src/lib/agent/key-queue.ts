const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Work by key: one at a time for each, and once more when something came up meanwhile. What fails is tried again later. */
export class KeyQueue {
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #stopped = false;

  constructor(
    private readonly work: (key: string) => Promise<void>,
    private readonly onError: (key: string, error: unknown) => void,
  ) {}

  readonly add = (key: string): void => {
    if (this.#stopped) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#running.set(key, this.#run(key));
  };

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running.values());
  }

  async #run(key: string): Promise<void> {
    // Whoever adds goes on first.
    await Promise.resolve();
    do {
      this.#again.delete(key);
      try {
        await this.work(key);
        this.#failures.delete(key);
      } catch (error) {
        this.#later(key);
        this.onError(key, error);
      }
    } while (this.#again.has(key) && !this.#stopped);
    this.#running.delete(key);
  }

  #later(key: string): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    clearTimeout(this.#timers.get(key));
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, ms);
    this.#timers.set(key, timer);
  }
}
