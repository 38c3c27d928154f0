import { headroomBytes } from '../judge/verdict.js';
import type { CheckedEntry } from './checked-entry.js';

export const SORTS = ['catalog', 'id', 'needs', 'spare', 'context'] as const;
export type Sort = (typeof SORTS)[number];

export interface EntryChoice {
  /** Only what fits, closely or not. */
  readonly fits: boolean;
  /** Only what holds so many tokens at the least. */
  readonly leastContext?: number | undefined;
  /** Only what has each of these among its use cases. */
  readonly useCases: readonly string[];
  readonly sort: Sort;
}

/** Entries that were checked, as far as they are asked for; those that were not checked are last. */
export function chooseEntries<T extends CheckedEntry>(checks: readonly T[], choice: EntryChoice): readonly T[] {
  const { fits, leastContext = 0, useCases, sort } = choice;
  const chosen = checks.filter(({ verdict, largest = 0, useCases: named }) => {
    if (fits && verdict.kind !== 'fits' && verdict.kind !== 'tight') return false;
    const own = named.map((name) => name.toLowerCase());
    return largest >= leastContext && useCases.every((name) => own.includes(name.toLowerCase()));
  });
  return sort === 'catalog' ? chosen : chosen.sort(ORDERS[sort]);
}

const BY_AMOUNT = new Intl.Collator('en', { numeric: true });

type Order = (a: CheckedEntry, b: CheckedEntry) => number;

/** The least first of what is taken, the most first of what is left. */
const ORDERS: Readonly<Record<Exclude<Sort, 'catalog'>, Order>> = {
  id: (a, b) => BY_AMOUNT.compare(a.model, b.model),
  needs: by(({ verdict }) => (verdict.kind === 'unknown' ? Infinity : (verdict.limits[0]?.requiredBytes ?? Infinity))),
  spare: by(({ verdict }) => {
    const [limit] = verdict.kind === 'unknown' ? [] : verdict.limits;
    return limit === undefined ? Infinity : -headroomBytes(limit);
  }),
  context: by(({ verdict, largest = 0 }) => (verdict.kind === 'unknown' ? Infinity : -largest)),
};

function by(value: (check: CheckedEntry) => number): Order {
  return (a, b) => {
    const [own, other] = [value(a), value(b)];
    return own === other ? 0 : own - other;
  };
}
