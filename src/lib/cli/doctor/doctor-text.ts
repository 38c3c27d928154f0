import { printable } from '../../printable.js';
import { hanging } from '../../report/layout/wrap.js';
import { formatSize } from '../../report/words/bytes.js';
import type { Program } from '../../host/processes/programs.js';
import type { Diagnosis } from './diagnose.js';

const LABEL = 13;

type Row = readonly [label: string, text: string];

/** One page to paste into a report. */
export function doctorText(diagnosis: Diagnosis, width: number): string {
  const { llmkube, cache, environment, programs } = diagnosis;
  const rows: readonly Row[] = [
    ['llmkube', `${llmkube.version}, Node ${llmkube.node}, ${llmkube.system}`],
    ['accelerator', acceleratorWords(diagnosis)],
    ...memoryRows(diagnosis),
    ...programRows('largest', programs.largest),
    ...programRows('engines', programs.engines),
    ['promised', ledgerWords(diagnosis)],
    ['llama-server', serverWords(diagnosis)],
    ['cache', `${cache.path}: ${cache.entries} header${cache.entries === 1 ? '' : 's'}, ${formatSize(cache.bytes)}`],
    [
      'environment',
      Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ') || 'nothing set',
    ],
    ['cluster', clusterWords(diagnosis)],
  ];
  return rows.flatMap(([label, text]) => hanging(label.padEnd(LABEL), text.split(' '), width)).join('\n');
}

function acceleratorWords({ accelerator: { name, gpus, foundBy } }: Diagnosis): string {
  return foundBy === null ? name : `${name} (${gpus.join(', ')}; by ${foundBy})`;
}

function memoryRows({ memory }: Diagnosis): readonly Row[] {
  if ('problem' in memory) return [['memory', memory.problem]];
  const { totalBytes, inUseBytes, budgetBytes, limits, pressure, notes } = memory;
  const of = `${formatSize(inUseBytes)} of ${formatSize(totalBytes)} in use, ${formatSize(budgetBytes)} left of the default budget`;
  return [
    ['memory', of],
    ...limits.map(({ name, limitBytes, inUseBytes: used }): Row => {
      return ['limit', `${name}: ${formatSize(used)} of ${formatSize(limitBytes)} in use`];
    }),
    ...(pressure === null ? [] : [['pressure', pressure] as const]),
    ...notes.map((note): Row => ['note', note]),
  ];
}

function programRows(label: string, programs: readonly Program[]): readonly Row[] {
  const text = programs.map(({ name, bytes }) => `${printable(name)} ${formatSize(bytes)}`).join(', ');
  return [[label, text || 'none']];
}

function ledgerWords({ ledger }: Diagnosis): string {
  if ('problem' in ledger) return ledger.problem;
  const { entries, promisedBytes, warning } = ledger;
  const promised = entries === 0 ? 'nothing' : `${formatSize(promisedBytes)} to ${entries} processes`;
  return warning === null ? promised : `${promised}; ${warning}`;
}

function serverWords({ llamaServer }: Diagnosis): string {
  if (llamaServer === null) return 'none found';
  if ('problem' in llamaServer) return llamaServer.problem;
  return `${llamaServer.path}, ${llamaServer.version ?? 'which does not say its version'}`;
}

function clusterWords({ cluster }: Diagnosis): string {
  return 'problem' in cluster ? cluster.problem : `context ${cluster.context}, ${cluster.server}; not asked`;
}
