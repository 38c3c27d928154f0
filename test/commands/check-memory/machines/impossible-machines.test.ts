import { describe, expect, test } from '@jest/globals';
import { askCli } from '../../../support/cli-session.js';

describe('a machine that cannot be is refused, not found too small', () => {
  test.each([
    [['--memory-budget', '0'], '--memory-budget must be more than nothing'],
    [['--system-memory', '0'], '--system-memory must be more than nothing'],
    [['--system-memory', '16Gi', '--in-use', '20Gi'], 'more memory is said to be in use than the machine has'],
  ])('%j', async (machine, words) => {
    const { stderr, exitCode } = await askCli(['check-memory', 'llama-3.1-8b', '--accelerator', 'metal', ...machine]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

test('a budget that no such machine has is noted', async () => {
  const args = ['check-memory', 'llama-3.2-3b', '--accelerator', 'metal', '--system-memory', '16Gi', '--offline'];
  const noted = async (budget: string) => (await askCli([...args, '--memory-budget', budget])).stdout;
  expect(await noted('24Gi')).toMatch(/^note +--memory-budget is more than all the memory that the machine has$/m);
  expect(await noted('16Gi')).not.toContain('more than all the memory');
});

test('a Mac has one GPU, and what says how several share a model has no effect, which is said', async () => {
  const args = ['check-memory', 'llama-3.2-3b', '--accelerator', 'metal', '--system-memory', '32Gi', '--offline'];
  const { stderr, exitCode } = await askCli([...args, '--gpus', '2']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--gpus is for machines with several GPUs')]);
  const noted = await askCli([...args, '--tensor-split', '1,1', '--gpu-wired-limit', '40Gi']);
  expect(noted.stdout).toMatch(/^note +--tensor-split has no effect with one GPU$/m);
  expect(noted.stdout).toMatch(/^note +--gpu-wired-limit is more than all the memory that the machine has$/m);
  const many = await askCli([...args, '--tensor-split', Array(16).fill(1).join()]);
  expect([many.exitCode, many.stderr]).toEqual([2, expect.stringContaining('fewer than 16 shares, not 16')]);
});
