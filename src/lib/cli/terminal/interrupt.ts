import { constants } from 'node:os';

const SIGNAL_NAMES = { SIGINT: 'Ctrl-C', SIGTERM: 'SIGTERM' } as const;
type SignalName = keyof typeof SIGNAL_NAMES;

/** Whatever has not ended by then is ended by the signal itself, which no system call outlives. */
const PATIENCE_MS = 1500;

/** Someone wants the program to end. No failure that other code may get around, and so not an `LlmkubeError`. */
export class InterruptedError extends Error {
  readonly code = 'INTERRUPTED';
  /** As shells report a program that this signal ended: 130 for Ctrl-C, 143 for SIGTERM. */
  readonly exitCode: number;

  constructor(name: SignalName) {
    super(`stopped by ${SIGNAL_NAMES[name]} before everything was read; nothing was changed`);
    this.exitCode = 128 + constants.signals[name];
  }
}

export interface Interrupt {
  /** Aborted, with an `InterruptedError`, by the first signal; the second ends the program. */
  readonly signal: AbortSignal;
  /** Gives the signals back their usual effect. */
  dispose(): void;
}

export function interruptSignal(names: readonly SignalName[] = ['SIGINT']): Interrupt {
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
    dispose: () => {
      clearTimeout(lastResort);
      for (const name of names) process.off(name, listen);
    },
  };
}

/**
 * Runs work that can end early and leaves nothing behind.
 * @throws InterruptedError after Ctrl-C or SIGTERM, whatever the work made of it
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, dispose } = interruptSignal(['SIGINT', 'SIGTERM']);
  try {
    const result = await work(signal);
    signal.throwIfAborted();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    dispose();
  }
}
