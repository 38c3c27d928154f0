import { SourceError } from './source-error.js';

/** A header of 16 MB at 1 Mbit/s; who reads more slowly can say so with --read-timeout. */
const READING_MS = 120_000;

/** A thousand headers from one host, four at once, at two seconds each. */
const ALL_READINGS_MS = 600_000;

/** Where one reading may take longer than usual, all may. */
const READINGS_IN_ALL = 5;

/** What a timer of Node can count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What one reading may take, whatever it waits for. */
export function readingDeadline(outer: AbortSignal | undefined, ms = READING_MS): Deadline {
  const message = `reading was not finished within ${ms / 1000} s; try again, or allow more with --read-timeout`;
  return new Deadline(outer, ms, message);
}

/** What all readings of one command may take together, by what one may. */
export function allReadingsMs(readingMs = READING_MS): number {
  return Math.max(ALL_READINGS_MS, READINGS_IN_ALL * readingMs);
}

export function allReadingsDeadline(outer: AbortSignal | undefined, ms: number): Deadline {
  const message = `not read within the ${ms / 1000} s that all models together may take; try fewer, or allow more with --read-timeout`;
  return new Deadline(outer, ms, message);
}

/**
 * A time and a signal, with a timer of its own: a signal made of others may be collected before it fires (Node 20). A signal is
 * made when it is asked for: what is neither on this machine nor asked for elsewhere needs none, and a catalogue has thousands of those.
 */
export class Deadline {
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #late: SourceError | undefined;

  constructor(
    private readonly outer: AbortSignal | undefined,
    private readonly ms: number,
    private readonly message: string,
  ) {}

  /** Aborted by the caller's signal, or when the time is over; then with a SourceError SOURCE_TIMEOUT as reason. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#late !== undefined || this.outer?.aborted === true) this.#abort();
    this.outer?.addEventListener('abort', this.#abort);
    return this.#controller.signal;
  }

  start(onOver: (late: SourceError) => void = () => undefined): void {
    const pass = (): void => {
      this.#late = new SourceError('SOURCE_TIMEOUT', this.message);
      onOver(this.#late);
      this.#abort();
    };
    this.#timer = setTimeout(pass, Math.min(this.ms, LONGEST_TIMER_MS));
  }

  /**
   * What the work gives, unless the time is over before; work that cannot be aborted, such as a name look-up, is then left behind.
   * @throws SourceError SOURCE_TIMEOUT, and what the work throws
   */
  over<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.start(reject);
      work().then(resolve, reject);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#controller !== undefined) this.outer?.removeEventListener('abort', this.#abort);
  }

  #abort = (): void => this.#controller?.abort(this.#late ?? this.outer?.reason);
}
