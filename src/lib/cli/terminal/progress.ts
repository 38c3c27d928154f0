import { startSpinner } from './out.js';

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
  if (quiet || isBusy || !isWatchedTerminal()) return NONE;
  isBusy = true;
  let stopped = false;
  let latest = text;
  let spinner: { show(text: string): void; stop(): void } | undefined;
  const timer = setTimeout(async () => {
    const started = await startSpinner(latest);
    if (stopped) started.stop();
    else spinner = started;
  }, PATIENCE_MS);
  return {
    update: (changed) => {
      latest = changed;
      spinner?.show(changed);
    },
    stop: () => {
      if (!stopped) isBusy = false;
      stopped = true;
      clearTimeout(timer);
      spinner?.stop();
    },
  };
}
