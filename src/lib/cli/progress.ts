/** Shows that something takes its time. */
export interface Progress {
  stop(): void;
}

const NONE: Progress = { stop: () => undefined };
/** What is quicker than this needs no spinner. */
const PATIENCE_MS = 400;

/** A terminal on stderr that people look at; ora loops on one that reports no columns. */
export function isWatchedTerminal(): boolean {
  const { stderr } = process;
  return stderr.isTTY && stderr.columns > 0 && !process.env.CI;
}

/** A spinner on stderr, and only where people see it. */
export function startProgress(text: string, quiet: boolean): Progress {
  const { stderr } = process;
  if (quiet || !isWatchedTerminal()) return NONE;
  let stopped = false;
  let spinner: { stop(): unknown } | undefined;
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora');
    if (!stopped) spinner = ora({ text, stream: stderr }).start();
  }, PATIENCE_MS);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      spinner?.stop();
    },
  };
}
