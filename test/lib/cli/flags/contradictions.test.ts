import { expect, test } from '@jest/globals';
import { refuseContradictions } from '../../../../src/lib/cli/flags/contradictions.js';

const refusal = async (values: object, typedByVariable: readonly string[] = []): Promise<string | undefined> => {
  try {
    await refuseContradictions({ ...values }, new Map(typedByVariable.map((flag) => [flag, 'LLMKUBE_X'])));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('layers on a GPU need one, none do not', async () => {
  expect(await refusal({ accelerator: 'cpu', 'gpu-layers': 1 })).toContain('--gpu-layers needs a GPU');
  expect(await refusal({ accelerator: 'cpu', 'gpu-layers': 0 })).toBeUndefined();
  expect(await refusal({ accelerator: 'cuda', 'gpu-layers': 1 })).toBeUndefined();
});

test('each accelerator has the flag for its own memory', async () => {
  expect(await refusal({ accelerator: 'metal', 'gpu-memory': 1 })).toContain('--gpu-wired-limit');
  expect(await refusal({ accelerator: 'cuda', 'gpu-wired-limit': 1 })).toContain('needs --accelerator metal');
});

test('two budgets are one too many, unless one of them was not typed', async () => {
  const both = { accelerator: 'cpu', 'memory-budget': 1, 'memory-fraction': 0.5 };
  expect(await refusal(both)).toContain('two budgets');
  expect(await refusal(both, ['memory-fraction'])).toBeUndefined();
});
