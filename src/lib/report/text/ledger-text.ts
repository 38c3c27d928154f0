import type { PromisedMemory } from '../../guard/ledger/measure-beside-ledger.js';
import { promisedBytes } from '../json/ledger-json.js';
import { printable } from '../../printable.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns } from '../layout/columns.js';

const HEADINGS = ['WHO', 'PID', 'STATE', 'SINCE', 'MEMORY', 'ON GPUS'];

/** A line for each promise, and their sum. */
export function ledgerText({ entries }: PromisedMemory): string {
  if (entries.length === 0) return 'Nothing is promised on this machine.';
  const rows = entries.map(({ who, pid, state, decidedAt, requirement }) => [
    printable(who),
    String(pid),
    state,
    printable(decidedAt.slice(0, 19)),
    formatSize(requirement.hostBytes),
    requirement.gpuBytes.map((bytes) => formatSize(bytes)).join(' + ') || '-',
  ]);
  const sum = `${formatSize(promisedBytes(entries))} of this machine's memory promised in all`;
  return [...alignColumns([HEADINGS, ...rows]), '', sum].join('\n');
}
