const INTERRUPTED = 130;

export interface Interrupt {
  /** Aborted by the first Ctrl-C; the second ends the program. */
  readonly signal: AbortSignal;
  /** Gives Ctrl-C back its usual effect. */
  dispose(): void;
}

export function interruptSignal(): Interrupt {
  const controller = new AbortController();
  const listen = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', listen);
  return { signal: controller.signal, dispose: () => void process.off('SIGINT', listen) };
}
