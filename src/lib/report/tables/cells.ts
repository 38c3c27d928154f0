import type { ChalkInstance } from 'chalk';
import { unlessRefused, type SurveyVerdict } from '../../preflight/surveys/judge-or-refusal.js';
import { hanging, wrapWords } from '../layout/wrap.js';
import { harmless } from '../../printable.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';

/** Words rather than colours say what fits, so that they can be heard, searched for and piped. */
const MARKS = { fits: 'ok', tight: 'tight', 'does-not-fit': 'no' } as const;

const LEGEND = ['ok fits; tight can be pushed over later; no does not fit.'];

type Verdicts = readonly (SurveyVerdict | undefined)[];

/** How one table shows its verdicts. */
export interface Cells {
  /** What is required under the limit that decides, and whether it fits; undefined is what could not be worked out. */
  readonly cell: (verdict: SurveyVerdict | undefined) => string;
  /** What the marks mean, why something is refused, and whose amounts these are, where it is not the machine's memory that holds everything. */
  readonly legend: readonly string[];
  /** Whose amounts all of them are: `GPU 1`; undefined where that differs. */
  readonly holder: string | undefined;
}

/**
 * Cells for these verdicts, which may be decided by different memories: then each cell says by which.
 * @param budgets all are of one machine, whose budgets the legend can say
 */
export function cellsOf(verdicts: Verdicts, budgets: 'of-one-machine' | 'differ' = 'of-one-machine'): Cells {
  const decisive = verdicts.flatMap((verdict) => unlessRefused(verdict)?.limits[0] ?? []);
  const holders = new Map(decisive.map((limit) => [limitLabel(limit), formatSize(Math.max(0, limit.budget.bytes))]));
  const names = [...holders.keys()];
  const isOne = names.length <= 1;
  const width = Math.max(0, ...names.map((name) => name.length));
  const areApart = decisive.some(({ name, hostOnly }) => name === 'gpu' || hostOnly === true);
  return {
    cell: (verdict) => {
      const completed = unlessRefused(verdict);
      const [limit] = completed?.limits ?? [];
      if (completed === undefined || limit === undefined) return verdict === undefined ? 'unknown' : REFUSED;
      const holder = isOne ? '' : `${limitLabel(limit).padEnd(width)} `;
      return `${formatSize(limit.requiredBytes)} ${holder}${MARKS[completed.kind].padEnd(5)}`;
    },
    legend: [
      ...(areApart ? holdersLegend(holders, budgets === 'of-one-machine') : []),
      ...LEGEND,
      ...refusals(verdicts),
    ],
    holder: areApart && isOne ? names[0] : undefined,
  };
}

const REFUSED = 'refused';

/** Each reason once, however many launches it is true of. */
function refusals(verdicts: Verdicts): readonly string[] {
  const reasons = new Set(verdicts.flatMap((verdict) => (verdict?.kind === 'refused' ? [verdict.reason] : [])));
  return [...reasons].flatMap((reason) => hanging(`${REFUSED}: `, harmless(reason).split(' '), LEGEND_WIDTH));
}

/** As narrow as the tables are at the least. */
const LEGEND_WIDTH = 60;

function holdersLegend(holders: ReadonlyMap<string, string>, withBudgets: boolean): string[] {
  const each = [...holders].map(([name, budget]) => {
    const whose = name === 'memory' ? 'of the machine' : `of ${name === 'GPU' ? 'the GPU' : name}`;
    return withBudgets ? `${whose} (${budget})` : whose;
  });
  const which = each.length === 1 ? '' : ' of the memory closest to its budget:';
  const words = `Amounts are what is taken${which} ${each.join(', ')}.`.split(' ');
  return wrapWords(words, LEGEND_WIDTH);
}

export function paintMarks(line: string, colors: ChalkInstance): string {
  return line.replace(/\bno\b/g, colors.red('no')).replace(/\btight\b/g, colors.yellow('tight'));
}
