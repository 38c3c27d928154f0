import type { ChalkInstance } from 'chalk';
import type { Saving } from '../../preflight/surveys/savings.js';
import { areApart, type CompletedVerdict } from '../../preflight/judge/verdict.js';
import { alignColumns } from '../layout/columns.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';
import { cellsOf, paintMarks } from './cells.js';

function saved(bytes: number | undefined): string {
  if (bytes === undefined) return '';
  return bytes < 0 ? `−${formatSize(-bytes)}` : formatSize(bytes);
}

/** A row a change: what it saves of the launch that was asked for, and what is left to hold. */
export function savingsText(savings: readonly Saving[], asked: CompletedVerdict, colors: ChalkInstance): string {
  const { cell, legend, holder } = cellsOf([asked, ...savings.map(({ verdict }) => verdict)]);
  const [decisive] = asked.limits;
  const where =
    holder === undefined && decisive !== undefined && areApart(asked.limits) ? ` (${limitLabel(decisive)})` : '';
  const rows = savings.map(({ flags, savedBytes, verdict, isEstimated }) => [
    `${flags}${isEstimated ? ' ~' : ''}`,
    saved(savedBytes),
    cell(verdict),
  ]);
  const head = ['with', `saves${where}`, 'and takes'];
  const lines = alignColumns([head, ['as asked', '', cell(asked)], ...rows], [1, 2]);
  const isGuessed = savings.some(({ isEstimated }) => isEstimated);
  return [
    ...lines.map((line, index) => (index < 2 ? colors.bold(line) : paintMarks(line, colors))),
    '',
    ...legend,
    ...(isGuessed ? ["~ by llama.cpp's recipe, which publishers may leave"] : []),
  ].join('\n');
}
