import type { DeployEvent } from '../../kube/deploy/deploy.js';
import { eventLine } from '../../report/text/deploy-text.js';
import { printLine, startSpinner } from '../terminal/out.js';
import { isWatchedTerminal } from '../terminal/progress.js';

/** Shows what happens while a deploy goes on. */
export interface DeployProgress {
  show(event: DeployEvent): void;
  /** Makes room for a line on stdout. */
  clear(): void;
  stop(): void;
}

/** On a terminal a spinner on stderr that follows the phases; elsewhere one plain line on stderr for each change. */
export async function showProgress(quiet: boolean): Promise<DeployProgress> {
  const silent = { show: () => undefined, clear: () => undefined, stop: () => undefined };
  if (quiet) return silent;
  if (!isWatchedTerminal()) {
    return { ...silent, show: (event) => printLine(eventLine(event, false)) };
  }
  const spinner = await startSpinner('Waiting for the cluster');
  const latest = new Map<string, string>();
  return {
    show: (event) => {
      if (event.type === 'phase') latest.set(event.kind, eventLine(event, false));
      else latest.set('notice', eventLine(event, false));
      spinner.show([...latest.values()].join('   '));
      if (event.type === 'phase') latest.delete('notice');
    },
    clear: () => spinner.clear(),
    stop: () => spinner.stop(),
  };
}
