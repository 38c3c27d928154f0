/** Shows that something takes its time. */
export interface Progress {
  update(text: string): void;
  stop(): void;
}

const NONE: Progress = { update: () => undefined, stop: () => undefined };
/** What is quicker than this needs no spinner. */
const PATIENCE_MS = 400;

/** A terminal on stderr that people look at; ora loops on one that reports no columns. */
export function isWatchedTerminal(): boolean {
  const { stderr } = process;
  return stderr.isTTY && stderr.columns > 0 && !process.env.CI;
}

/** One line holds one spinner: what is started while another runs has none. */
let isBusy = false;

/** A spinner on stderr, and only where people see it. */
export function startProgress(text: string, quiet: boolean): Progress {
  const { stderr } = process;
  if (quiet || isBusy || !isWatchedTerminal()) return NONE;
  isBusy = true;
  let stopped = false;
  let latest = text;
  let spinner: { text: string; stop(): unknown } | undefined;
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora');
    // Discarding input puts the terminal in a mode in which nobody hears Ctrl-C.
    if (!stopped) spinner = ora({ discardStdin: false, stream: stderr, text: latest }).start();
  }, PATIENCE_MS);
  return {
    update: (changed) => {
      latest = changed;
      if (spinner !== undefined) spinner.text = changed;
    },
    stop: () => {
      if (!stopped) isBusy = false;
      stopped = true;
      clearTimeout(timer);
      spinner?.stop();
    },
  };
}
