import type { ChalkInstance } from 'chalk';
import type { CompletedVerdict } from '../../preflight/judge/verdict.js';
import { wrapWords } from '../layout/wrap.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';

/** Words rather than colours say what fits, so that they can be heard, searched for and piped. */
const MARKS = { fits: 'ok', tight: 'tight', 'does-not-fit': 'no' } as const;

const LEGEND = ['ok fits; tight can be pushed over later; no does not fit.'];

type Verdicts = readonly (CompletedVerdict | undefined)[];

/** How one table shows its verdicts. */
export interface Cells {
  /** What is required under the limit that decides, and whether it fits; undefined is what llama.cpp refuses. */
  readonly cell: (verdict: CompletedVerdict | undefined) => string;
  /** What the marks mean, and whose amounts these are, where it is not the machine's memory that holds everything. */
  readonly legend: readonly string[];
  /** Whose amounts all of them are: `GPU 1`; undefined where that differs. */
  readonly holder: string | undefined;
}

/**
 * Cells for these verdicts, which may be decided by different memories: then each cell says by which.
 * @param budgets all are of one machine, whose budgets the legend can say
 */
export function cellsOf(verdicts: Verdicts, budgets: 'of-one-machine' | 'differ' = 'of-one-machine'): Cells {
  const decisive = verdicts.flatMap((verdict) => verdict?.limits[0] ?? []);
  const holders = new Map(decisive.map((limit) => [limitLabel(limit), formatSize(Math.max(0, limit.budget.bytes))]));
  const names = [...holders.keys()];
  const isOne = names.length <= 1;
  const width = Math.max(0, ...names.map((name) => name.length));
  const areApart = decisive.some(({ name, hostOnly }) => name === 'gpu' || hostOnly === true);
  return {
    cell: (verdict) => {
      const [limit] = verdict?.limits ?? [];
      if (verdict === undefined || limit === undefined) return 'refused';
      const holder = isOne ? '' : `${limitLabel(limit).padEnd(width)} `;
      return `${formatSize(limit.requiredBytes)} ${holder}${MARKS[verdict.kind].padEnd(5)}`;
    },
    legend: [...(areApart ? holdersLegend(holders, budgets === 'of-one-machine') : []), ...LEGEND],
    holder: areApart && isOne ? names[0] : undefined,
  };
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
