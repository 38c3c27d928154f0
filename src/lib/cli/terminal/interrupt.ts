import { constants } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { ClusterError } from '../../errors.js';

const SIGNAL_NAMES = { SIGINT: 'Ctrl-C', SIGTERM: 'SIGTERM' } as const;
type SignalName = keyof typeof SIGNAL_NAMES;

/** Whatever has not ended by then is ended by the signal itself, which no system call outlives. */
const PATIENCE_MS = 1500;

/** Someone wants the program to end. No failure that other code may get around, and so not an `LlmkubeError`. */
export class InterruptedError extends Error {
  readonly code = 'INTERRUPTED';
  /** As shells report a program that this signal ended: 130 for Ctrl-C, 143 for SIGTERM. */
  readonly exitCode: number;

  constructor(
    private readonly sent: SignalName,
    state = 'before everything was read; nothing was changed',
    readonly suggestions: readonly string[] = [],
  ) {
    super(`stopped by ${SIGNAL_NAMES[sent]} ${state}`);
    this.exitCode = 128 + constants.signals[sent];
  }

  /** The same, with what a call that it ended says of the cluster. */
  of({ message, options }: ClusterError): InterruptedError {
    return new InterruptedError(this.sent, message.replace(/^interrupted /, ''), options.suggestions);
  }
}

export interface Interrupt {
  /** Aborted, with an `InterruptedError`, by the first signal; the second ends the program. */
  readonly signal: AbortSignal;
  /** The error to end with: that of work that was ended is the interruption, and says how far it came. */
  cause(error: unknown): unknown;
  /** Gives the signals back their usual effect, once those that came while the program was computing were heard. */
  dispose(): Promise<void>;
}

export function interruptSignal(): Interrupt {
  const names = Object.keys(SIGNAL_NAMES) as SignalName[];
  const controller = new AbortController();
  let lastResort: NodeJS.Timeout | undefined;
  const listen = (name: SignalName) => {
    const reason = new InterruptedError(name);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
    lastResort = setTimeout(() => {
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    }, PATIENCE_MS);
    lastResort.unref();
  };
  for (const name of names) process.on(name, listen);
  return {
    signal: controller.signal,
    cause: (error) => {
      const reason: unknown = controller.signal.reason;
      return reason instanceof InterruptedError && error instanceof ClusterError ? reason.of(error) : error;
    },
    dispose: async () => {
      // Node hears of a signal between two turns of its loop only, and forgets one that nobody listens for by then.
      await turn();
      await turn();
      for (const name of names) process.off(name, listen);
    },
  };
}

/**
 * Runs work that can end early and leaves nothing behind.
 * @throws InterruptedError after Ctrl-C or SIGTERM, whatever the work made of it
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, dispose } = interruptSignal();
  try {
    return await work(signal);
  } finally {
    await dispose();
    signal.throwIfAborted();
  }
}
