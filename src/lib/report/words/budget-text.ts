import type { Budget } from '../../budget/budget.js';
import { formatSize } from './bytes.js';

/** Where a budget comes from, for the parentheses after its amount. */
export function explainBudget(budget: Budget): string {
  switch (budget.kind) {
    case 'fraction': {
      const { totalBytes, fraction, scope, from } = budget;
      const by = from === undefined ? '' : `, by ${from}`;
      return `${formatSize(totalBytes)} ${scope ?? 'system'} × ${fraction} fraction${less(budget)}${by}`;
    }
    case 'absolute':
      return `as given by ${budget.from ?? '--memory-budget'}${less(budget)}`;
    case 'gpu-wired':
      if (!budget.totalBytes || less(budget) === '') return "Metal's limit for the GPU, iogpu.wired_limit_mb";
      return `${formatSize(budget.totalBytes)} iogpu.wired_limit_mb${less(budget)} on the GPU`;
    case 'gpu-memory':
      if (less(budget) === '') return 'GPU memory';
      return `${formatSize(budget.totalBytes)} GPU memory${less(budget)}`;
  }
}

/** The same in a few words, for a table. */
export function explainBudgetBriefly(budget: Budget): string {
  switch (budget.kind) {
    case 'fraction':
      return `${formatSize(budget.totalBytes)} × ${budget.fraction}${less(budget)}`;
    case 'absolute':
      return `${budget.from ?? '--memory-budget'}${less(budget)}`;
    case 'gpu-wired':
      return `iogpu.wired_limit_mb${less(budget)}`;
    case 'gpu-memory':
      if (less(budget) === '') return 'GPU memory';
      return `${formatSize(budget.totalBytes)}${less(budget)}`;
  }
}

/** ` − 3.4GB in use − 8.1GB promised`, without what is nothing. */
function less({
  inUseBytes,
  promisedBytes,
}: {
  readonly inUseBytes?: number;
  readonly promisedBytes?: number;
}): string {
  const amounts = [
    [inUseBytes, 'in use'],
    [promisedBytes, 'promised'],
  ] as const;
  return amounts.map(([bytes, what]) => (bytes ? ` − ${formatSize(bytes)} ${what}` : '')).join('');
}
