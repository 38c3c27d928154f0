import type { Budget } from '../budget/budget.js';
import { formatGigabytes } from './bytes.js';

/** Where a budget comes from, for the parentheses after its amount. */
export function explainBudget(budget: Budget): string {
  switch (budget.kind) {
    case 'fraction': {
      const { totalBytes, fraction, inUseBytes, scope } = budget;
      return `${formatGigabytes(totalBytes)} ${scope ?? 'system'} × ${fraction} fraction${lessInUse(inUseBytes)}`;
    }
    case 'absolute':
      return 'as given by --memory-budget';
    case 'gpu-wired':
      return "Metal's limit for the GPU, iogpu.wired_limit_mb";
    case 'gpu-memory':
      if (budget.inUseBytes === 0) return 'GPU memory';
      return `${formatGigabytes(budget.totalBytes)} GPU memory${lessInUse(budget.inUseBytes)}`;
  }
}

/** The same in a few words, for a table. */
export function explainBudgetBriefly(budget: Budget): string {
  switch (budget.kind) {
    case 'fraction':
      return `${formatGigabytes(budget.totalBytes)} × ${budget.fraction}${lessInUse(budget.inUseBytes)}`;
    case 'absolute':
      return '--memory-budget';
    case 'gpu-wired':
      return 'iogpu.wired_limit_mb';
    case 'gpu-memory':
      if (budget.inUseBytes === 0) return 'GPU memory';
      return `${formatGigabytes(budget.totalBytes)}${lessInUse(budget.inUseBytes)}`;
  }
}

function lessInUse(inUseBytes: number): string {
  return inUseBytes > 0 ? ` − ${formatGigabytes(inUseBytes)} in use` : '';
}
