import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

describe('agent logs', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const logs = (...args: string[]) =>
    runCli(['agent', 'logs', ...args, '--agent-id', 'box'], { LLMKUBE_STATE_DIR: folder.path });

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, 'agents', 'box'), { recursive: true });
    await writeFile(join(folder.path, 'agents', 'box', 'models.qwen.log'), 'main: server is listening\n');
  });

  afterAll(() => folder.remove());

  test('shows what the llama-server of a service wrote', async () => {
    expect(await logs('models/qwen')).toEqual({ stdout: 'main: server is listening\n', stderr: '', exitCode: 0 });
  });

  test.each([
    ['qwen', 'did you mean models/qwen?'],
    ['models/qwne', 'did you mean models/qwen?'],
    ['llama', 'write it as NAMESPACE/NAME'],
  ])('says that there is none of %s, and what may be meant', async (service, advice) => {
    const { stderr, exitCode } = await logs(service);
    const problem = `the agent box has started no llama-server of ${service} on this machine`;
    expect([exitCode, stderr]).toEqual([2, `Error: ${problem}\n  Suggestion: ${advice}\n`]);
  });
});
