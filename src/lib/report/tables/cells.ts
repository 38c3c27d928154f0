import type { ChalkInstance } from 'chalk';
import type { CompletedVerdict } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';

/** Words rather than colours say what fits, so that they can be heard, searched for and piped. */
const MARKS = { fits: 'ok', tight: 'tight', 'does-not-fit': 'no' } as const;

export const LEGEND = ['ok fits; tight can be pushed over later; no does not fit.'];

/** What is required under the limit that decides, and whether it fits; undefined is what llama.cpp refuses. */
export function cell(verdict: CompletedVerdict | undefined): string {
  const [limit] = verdict?.limits ?? [];
  if (verdict === undefined || limit === undefined) return 'refused';
  return `${formatSize(limit.requiredBytes)} ${MARKS[verdict.kind].padEnd(5)}`;
}

export function paintMarks(line: string, colors: ChalkInstance): string {
  return line.replace(/\bno\b/g, colors.red('no')).replace(/\btight\b/g, colors.yellow('tight'));
}
