import { expect, test } from '@jest/globals';
import { askCli } from './cli-session.js';
import { runCli } from './run-cli.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];

// Each twice: what a line leaves behind must not show in those after it.
test.each<[exitCode: number, line: readonly string[], env?: Readonly<Record<string, string>>]>([
  [1, ['check-memory', 'qwen-coder-32b', ...MAC]],
  [0, ['check-memory', 'gemma-3-4b', ...MAC, '--json']],
  [2, ['check-memory', 'gemma-3-4b', ...MAC, '--ctx-size', 'many']],
  [3, ['check-memory', './no-such-file.gguf', ...MAC]],
  [0, ['catalog', 'list'], { COLUMNS: '60' }],
  [1, ['check-memory', 'qwen-coder-32b', ...MAC, '--chart'], { FORCE_COLOR: '1' }],
  [1, ['check-memory', 'qwen-coder-32b', ...MAC], { LLMKUBE_LLAMA_CPP: 'v0.8.0' }],
  [1, ['check-memory', 'qwen-coder-32b', ...MAC]],
  [0, ['check-memory', 'gemma-3-4b', ...MAC, '--json']],
])('a line ends with %i among others as in a process of its own: %j', async (exitCode, line, env = {}) => {
  const answer = await askCli(line, env);
  expect(answer).toEqual(await runCli(line, env));
  expect(answer.exitCode).toBe(exitCode);
});
