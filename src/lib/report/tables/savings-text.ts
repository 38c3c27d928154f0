import type { ChalkInstance } from 'chalk';
import type { Saving } from '../../preflight/surveys/savings.js';
import type { CompletedVerdict } from '../../preflight/judge/verdict.js';
import { alignColumns } from '../layout/columns.js';
import { formatSize } from '../words/bytes.js';
import { cell, LEGEND, paintMarks } from './cells.js';

/** A row a change: what it saves of the launch that was asked for, and what is left to hold. */
export function savingsText(savings: readonly Saving[], asked: CompletedVerdict, colors: ChalkInstance): string {
  const rows = savings.map(({ flags, savedBytes, verdict, isEstimated }) => [
    `${flags}${isEstimated ? ' ~' : ''}`,
    savedBytes < 0 ? `−${formatSize(-savedBytes)}` : formatSize(savedBytes),
    cell(verdict),
  ]);
  const head = ['with', 'saves', 'and takes'];
  const lines = alignColumns([head, ['as asked', '', cell(asked)], ...rows], [1, 2]);
  const isGuessed = savings.some(({ isEstimated }) => isEstimated);
  return [
    ...lines.map((line, index) => (index < 2 ? colors.bold(line) : paintMarks(line, colors))),
    '',
    ...LEGEND,
    ...(isGuessed ? ["~ by llama.cpp's recipe, which publishers may leave"] : []),
  ].join('\n');
}
