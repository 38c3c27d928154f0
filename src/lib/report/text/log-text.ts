import type { ChalkInstance } from 'chalk';
import type { ComparedBuffer } from '../../preflight/surveys/compare-log.js';
import { alignColumns } from '../layout/columns.js';
import { holderLabel } from '../words/limit-label.js';
import { partLabel } from '../words/part-labels.js';

const MIB = 2 ** 20;
const HEAD = ['PART', 'HELD BY', 'LLAMA.CPP', 'ESTIMATE', 'DIFFERENCE'];
const RIGHT = [2, 3, 4];

/**
 * One line a buffer, in mebibytes with hundredths as llama.cpp prints them, then how many are equal.
 * @param version of the llama.cpp that the estimate is for
 */
export function logText(compared: readonly ComparedBuffer[], version: string, colors: ChalkInstance): string {
  const rows = compared.map((buffer) => [
    partLabel({ name: buffer.name, of: 'model' }),
    holderLabel(buffer),
    mebibytes(buffer.printedBytes),
    mebibytes(buffer.estimatedBytes),
    buffer.differenceBytes === 0 ? 'equal' : signed(buffer.differenceBytes),
  ]);
  const [head = '', ...lines] = alignColumns([HEAD, ...rows], RIGHT);
  const painted = lines.map((line, i) => (compared[i]?.differenceBytes === 0 ? line : colors.yellow(line)));
  return [colors.bold(head), ...painted, '', summary(compared), `Estimated for llama.cpp ${version}.`].join('\n');
}

function summary(compared: readonly ComparedBuffer[]): string {
  const off = compared.filter(({ differenceBytes }) => differenceBytes !== 0);
  if (off.length === 0) return `All ${compared.length} are equal to the last digit that llama.cpp prints.`;
  const sum = (sign: 1 | -1): number =>
    off.reduce((total, { differenceBytes }) => total + Math.max(0, sign * differenceBytes), 0);
  const sums = [sum(1) > 0 && `${mebibytes(sum(1))} too much`, sum(-1) > 0 && `${mebibytes(sum(-1))} too little`];
  return `${off.length} of ${compared.length} differ: ${sums.filter(Boolean).join(', ')}.`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(2)} MiB`;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '−' : '+'}${mebibytes(Math.abs(bytes))}`;
}
