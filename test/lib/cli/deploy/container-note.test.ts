import { describe, expect, test } from '@jest/globals';
import { runCli } from '../../../support/run-cli.js';

const MACHINE = ['--offline', '--system-memory', '64Gi', '--in-use', '0Gi', '--dry-run', 'client', '-o', 'name'];

/** On the CPU this one holds 3.6GB when loaded, and its prompt cache can grow by 8GB. */
async function notesOn(memory: string, accelerator = 'cpu'): Promise<string> {
  const words = ['deploy', 'llama-3.2-3b', '--accelerator', accelerator, '--memory', memory, ...MACHINE];
  const { stderr, exitCode } = await runCli(words);
  expect(exitCode).toBe(0);
  return stderr;
}

describe('--memory of a deploy, which the operator makes the limit of the container', () => {
  test.each(['2Gi', '512Mi', '3600M', '36e8', '8'])(
    '%s does not hold what is loaded, which is said',
    async (memory) => {
      expect(await notesOn(memory)).toContain(
        `Note: --memory ${memory} is the container's limit too, and less than the 3.6GB that it holds when loaded: raise it, or leave it out\n`,
      );
    },
  );

  test.each(['4Gi', '11Gi', '11900M'])('%s does not hold what it can grow to, which is said', async (memory) => {
    expect(await notesOn(memory)).toContain(
      `Note: --memory ${memory} is the container's limit too, and less than the 11.6GB that it can grow to: raise it, or lower --cache-ram\n`,
    );
  });

  test.each(['12Gi', '1Ti', '2E'])('nothing is said of %s, which holds it all', async (memory) => {
    expect(await notesOn(memory)).not.toContain('--memory');
  });

  test('nothing is said on a Mac, where there is no container', async () => {
    expect(await notesOn('1Gi', 'metal')).not.toContain('--memory');
  });
});

test.each([
  ['--memory', '8GB', '4Gi'],
  ['--cpu', 'two', '2 or 500m'],
])('%s %s is no quantity of Kubernetes, and how to write one of its kind is said', async (flag, value, example) => {
  const { stderr, exitCode } = await runCli([
    'deploy',
    'llama-3.2-3b',
    '--accelerator',
    'cpu',
    flag,
    value,
    ...MACHINE,
  ]);
  expect(stderr).toContain(`Error: ${flag} "${value}" is not a Kubernetes quantity\n`);
  expect(stderr).toContain(`  Suggestion: write it like ${example}\n`);
  expect(exitCode).toBe(2);
});
