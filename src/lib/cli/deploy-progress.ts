import type { DeployEvent } from '../kube/deploy.js';
import { eventLine } from '../report/deploy-text.js';
import { isWatchedTerminal } from './progress.js';

/** Shows what happens while a deploy goes on. */
export interface DeployProgress {
  show(event: DeployEvent): void;
  stop(): void;
}

/** On a terminal a spinner on stderr that follows the phases; elsewhere one plain line on stderr for each change. */
export async function showProgress(quiet: boolean): Promise<DeployProgress> {
  if (quiet) return { show: () => undefined, stop: () => undefined };
  if (!isWatchedTerminal()) {
    return { show: (event) => void process.stderr.write(`${eventLine(event, false)}\n`), stop: () => undefined };
  }
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, text: 'Waiting for the cluster' }).start();
  const latest = new Map<string, string>();
  return {
    show: (event) => {
      if (event.type === 'phase') latest.set(event.kind, eventLine(event, false));
      else latest.set('notice', eventLine(event, false));
      spinner.text = [...latest.values()].join('   ');
      if (event.type === 'phase') latest.delete('notice');
    },
    stop: () => void spinner.stop(),
  };
}
