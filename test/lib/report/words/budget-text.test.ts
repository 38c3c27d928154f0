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
  [
    {
      ...{ kind: 'fraction', bytes: 0, totalBytes: 8 * GIB, fraction: 0.5, inUseBytes: 0 },
      ...{ scope: 'cgroup', from: 'LLMKUBE_MEMORY_FRACTION' },
    },
    '8GB cgroup × 0.5 fraction, by LLMKUBE_MEMORY_FRACTION',
    '8GB × 0.5',
  ],
  [{ kind: 'absolute', bytes: 0 }, 'as given by --memory-budget', '--memory-budget'],
  [
    { kind: 'absolute', bytes: 0, inUseBytes: GIB },
    'as given by --memory-budget − 1GB in use',
    '--memory-budget − 1GB in use',
  ],
  [
    { kind: 'gpu-wired', bytes: 0, totalBytes: 21 * GIB, inUseBytes: 0 },
    "Metal's limit for the GPU, iogpu.wired_limit_mb",
    'iogpu.wired_limit_mb',
  ],
  [
    { kind: 'gpu-wired', bytes: 0, totalBytes: 21 * GIB, inUseBytes: 3 * GIB },
    '21GB iogpu.wired_limit_mb − 3GB in use on the GPU',
    'iogpu.wired_limit_mb − 3GB in use',
  ],
])('%j is explained, without what is nothing', (budget, whole, brief) => {
  expect([explainBudget(budget), explainBudgetBriefly(budget)]).toEqual([whole, brief]);
});
