import { expect, test } from '@jest/globals';
import type { Budget } from '../../../../src/lib/budget/budget.js';
import { explainBudget, explainBudgetBriefly } from '../../../../src/lib/report/words/budget-text.js';

const GIB = 2 ** 30;

test.each<[Budget, string, string]>([
  [
    { kind: 'fraction', bytes: 0, totalBytes: 32 * GIB, fraction: 0.67, inUseBytes: 3.4 * GIB, promisedBytes: 8 * GIB },
    '32GB system × 0.67 fraction − 3.4GB in use − 8GB promised',
    '32GB × 0.67 − 3.4GB in use − 8GB promised',
  ],
  [
    { kind: 'absolute', bytes: 0, promisedBytes: 2 * GIB, from: 'LLMKUBE_MEMORY_BUDGET' },
    'as given by LLMKUBE_MEMORY_BUDGET − 2GB promised',
    'LLMKUBE_MEMORY_BUDGET − 2GB promised',
  ],
  [
    { kind: 'gpu-memory', bytes: 0, totalBytes: 24 * GIB, inUseBytes: 0, promisedBytes: GIB },
    '24GB GPU memory − 1GB promised',
    '24GB − 1GB promised',
  ],
  [{ kind: 'gpu-memory', bytes: 0, totalBytes: 24 * GIB, inUseBytes: 0 }, 'GPU memory', 'GPU memory'],
])('%j is explained, without what is nothing', (budget, whole, brief) => {
  expect([explainBudget(budget), explainBudgetBriefly(budget)]).toEqual([whole, brief]);
});
