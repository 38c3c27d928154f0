import { expect, test } from '@jest/globals';
import { refuseContradictions } from '../../../../src/lib/cli/flags/contradictions.js';

const refusal = (values: object, typedByVariable: readonly string[] = []): string | undefined => {
  try {
    refuseContradictions({ ...values }, new Map(typedByVariable.map((flag) => [flag, 'LLMKUBE_X'])));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('layers on a GPU need one, none do not', () => {
  expect(refusal({ accelerator: 'cpu', 'gpu-layers': 1 })).toContain('--gpu-layers needs a GPU');
  expect(refusal({ accelerator: 'cpu', 'gpu-layers': 0 })).toBeUndefined();
  expect(refusal({ accelerator: 'cuda', 'gpu-layers': 1 })).toBeUndefined();
});

test('each accelerator has the flag for its own memory', () => {
  expect(refusal({ accelerator: 'metal', 'gpu-memory': 1 })).toContain('--gpu-wired-limit');
  expect(refusal({ accelerator: 'cuda', 'gpu-wired-limit': 1 })).toContain('needs --accelerator metal');
});

test('two budgets are one too many, unless one of them was not typed', () => {
  const both = { accelerator: 'cpu', 'memory-budget': 1, 'memory-fraction': 0.5 };
  expect(refusal(both)).toContain('two budgets');
  expect(refusal(both, ['memory-fraction'])).toBeUndefined();
});
