import { expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run, RUN_JS } from '../support/run-cli.js';

const SCRIPT = fileURLToPath(new URL('gate.sh', import.meta.url));
const MODELS = ['llama-3.2-3b', 'llama-3.3-70b', 's3://bucket/model.gguf', 'no-such-model'];

async function gate(models: readonly string[]): Promise<string[]> {
  const env = cliEnvironment({
    LLMKUBE: `${process.execPath} ${RUN_JS}`,
    LLMKUBE_ACCELERATOR: 'metal',
    LLMKUBE_IN_USE: '4Gi',
    LLMKUBE_SYSTEM_MEMORY: '32Gi',
  });
  const { stdout, exitCode } = await run('sh', [SCRIPT, ...models], env);
  expect(exitCode).toBe(0);
  return stdout.trim().split('\n');
}

test('a shell script gates deploys on the exit code and on --json', async () => {
  const [small, large, elsewhere, unknown, open] = await gate(MODELS);
  expect(small).toMatch(/^llama-3\.2-3b: deploy \(fits, \d{10,11} bytes to spare\)$/);
  expect(large).toBe('llama-3.3-70b: stop (does-not-fit)');
  expect(elsewhere).toBe('s3://bucket/model.gguf: ask someone (SOURCE_UNSUPPORTED)');
  expect(unknown).toBe('no-such-model: broken call (2)');
  expect(open).toBe('gate: open');
  expect((await gate(['llama-3.3-70b'])).at(-1)).toBe('gate: closed');
});
