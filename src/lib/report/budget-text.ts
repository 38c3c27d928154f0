import type { Budget } from '../budget/budget.js';
import { formatGigabytes } from './bytes.js';

/** Where a budget comes from, for the parentheses after its amount. */
export function explainBudget(budget: Budget): string {
  switch (budget.kind) {
    case 'fraction': {
      const { totalBytes, fraction, inUseBytes, scope } = budget;
      const inUse = inUseBytes > 0 ? ` − ${formatGigabytes(inUseBytes)} in use` : '';
      return `${formatGigabytes(totalBytes)} ${scope ?? 'system'} × ${fraction} fraction${inUse}`;
    }
    case 'absolute':
      return 'as given by --memory-budget';
    case 'gpu-wired':
      return "Metal's limit for the GPU, iogpu.wired_limit_mb";
    case 'gpu-memory': {
      const inUse = budget.inUseBytes > 0 ? ` − ${formatGigabytes(budget.inUseBytes)} in use` : '';
      return `${formatGigabytes(budget.totalBytes)} GPU memory${inUse}`;
    }
  }
}
