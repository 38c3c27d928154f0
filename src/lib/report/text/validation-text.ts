import type { ChalkInstance } from 'chalk';
import { FIGURES_LLAMA_CPP, SHORT_CONTEXT, type ContextFigure } from '../../preflight/catalog/catalog-figures.js';
import type { EntryStatus, EntryValidation } from '../../preflight/catalog/validate-catalog.js';
import { formatVramEstimate } from '../../preflight/catalog/vram-estimate.js';
import { printable } from '../../printable.js';
import { formatSize } from '../words/bytes.js';
import { notCheckedLines } from '../words/not-checked.js';
import { alignWithin, lengthOf } from '../layout/columns.js';

const WORDS: Readonly<Record<EntryStatus, string>> = {
  true: 'true',
  'contradicts-context': 'contradicts its context',
  wrong: 'wrong',
  unchecked: 'not checked',
  unstated: 'says nothing',
};

/** One line an entry: what it says, what it takes at both contexts, whether that agrees and by how much not; problems below. */
export function validationTable(results: readonly EntryValidation[], width: number, colors: ChalkInstance): string {
  const head = ['ID', 'SAYS', `AT ${SHORT_CONTEXT}`, 'AT ITS OWN', 'CONTEXT', 'RESULT'];
  const rows = results.map(({ entry, figures, status }) => [
    printable(entry.id),
    entry.vramEstimate ?? '',
    figureText(figures?.short),
    figureText(figures?.own),
    figures === undefined ? '' : String(figures.own.context),
    WORDS[status],
  ]);
  const table = [head, ...rows];
  const whole = alignWithin(table, [2, 3, 4], width);
  const isWhole = whole.every((line) => lengthOf(line) <= width);
  const [first = '', ...lines] = isWhole ? whole : alignWithin(table.map(withoutContext), [2, 3], width);
  const colored = lines.map((line, index) => {
    const result = results[index];
    if (result === undefined) return line;
    const remark = remarkOf(result);
    return paint(result.status, colors)(line) + (remark === '' ? '' : `: ${remark}`);
  });
  const problems = results.flatMap(({ entry, problem }) =>
    problem === undefined ? [] : [{ model: entry.id, code: problem.code, reason: problem.message }],
  );
  return [colors.bold(first), ...colored, '', ...notCheckedLines(problems), summary(results)].join('\n');
}

function withoutContext(row: readonly string[]): readonly string[] {
  return row.filter((_, column) => column !== 4);
}

/** Undefined when every estimate that could be checked is true. */
export function validationFailure(results: readonly EntryValidation[]): string | undefined {
  const wrong = results.filter(({ status }) => status === 'wrong' || status === 'contradicts-context');
  if (wrong.length === 0) return undefined;
  const names = wrong.map(({ entry }) => printable(entry.id)).join(', ');
  return `${wrong.length} of ${results.length} estimates ${wrong.length === 1 ? 'is' : 'are'} not true: ${names}`;
}

/** "28 true, 3 not checked". */
function summary(results: readonly EntryValidation[]): string {
  const counts = Object.entries(WORDS).map(([status, word]) => {
    const count = results.filter((result) => result.status === status).length;
    return count === 0 ? '' : `${count} ${word}`;
  });
  return `${counts.filter((text) => text !== '').join(', ')}; for llama.cpp ${FIGURES_LLAMA_CPP}`;
}

function remarkOf({ judgement, figures, problem, status }: EntryValidation): string {
  if (problem !== undefined || figures === undefined || status === 'true') return '';
  const right = `${formatVramEstimate(figures)} would be true`;
  if (judgement === undefined || judgement.end === null) return right;
  const direction = judgement.offBytes > 0 ? 'too low' : 'too high';
  const end = judgement.end === 'low' ? 'its low end is ' : '';
  return `${end}${formatSize(Math.abs(judgement.offBytes))} ${direction}, ${right}`;
}

function figureText(figure: ContextFigure | undefined): string {
  return figure === undefined ? '' : formatSize(figure.requirementBytes);
}

function paint(status: EntryStatus, colors: ChalkInstance): (text: string) => string {
  if (status === 'true') return (text) => text;
  return status === 'unchecked' || status === 'unstated' ? colors.dim : colors.red;
}
