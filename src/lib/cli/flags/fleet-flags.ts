import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../errors.js';
import type { RawToken } from '../terminal/typed-command.js';
import { clusterFlags } from './cluster-flags.js';

/** For commands that check hosts of a cluster as well as this machine. */
export const fleetFlags = {
  ...clusterFlags,
  cluster: Flags.boolean({
    description: 'each host of the cluster, by what its agent has published, instead of this machine',
    helpGroup: 'CLUSTER',
  }),
  service: Flags.string({
    description: `the InferenceService, as NAME or NAMESPACE/NAME, whose annotations and Model say how much memory it may use and on \
which host (default: the one that "deploy" would name so, where there is one)`,
    dependsOn: ['cluster'],
    helpGroup: 'CLUSTER',
  }),
};

/** What describes one machine, or shows one, says nothing of many. */
const OF_ONE_MACHINE = [
  ...['accelerator', 'memory-fraction', 'memory-budget', 'system-memory', 'in-use', 'gpu-wired-limit', 'gpu-memory'],
  ...['gpus', 'unified-memory', 'html', 'print', 'memory-check'],
  ...['table', 'by', 'machines', 'savings', 'chart', 'watch'],
];

/** @throws UsageError CONTRADICTION for a flag that was typed and is about one machine */
export function refuseOfOneMachine(typed: readonly RawToken[]): void {
  const flag = typed.find((token) => token.type === 'flag' && OF_ONE_MACHINE.includes(token.flag ?? ''))?.flag;
  if (flag === undefined) return;
  const problem = `--${flag} is about one machine, and --cluster has every host as its agent published it`;
  throw new UsageError('CONTRADICTION', problem, { suggestions: [`leave out --${flag}, or --cluster`] });
}
