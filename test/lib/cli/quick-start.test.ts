import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { writeTinyModel } from '../../support/tiny-model.js';

jest.setTimeout(60_000);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The ordinary start of a command: oclif finds it, its plugins and hooks. Each has a cache of its own, empty at first. */
const ORDINARY = `
import { execute } from '@oclif/core';
await execute({ dir: ${JSON.stringify(ROOT)}, args: process.argv.slice(1) });
`;
const MODEL = join(mkdtempSync(join(tmpdir(), 'llmkube-quick-')), 'tiny.gguf');
const MACHINE = ['--offline', '--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi'];

beforeAll(() => writeTinyModel(MODEL));

/** What a command prints and how it ends, started as people start it and as oclif starts every command. */
async function bothWays(words: readonly string[], env: Readonly<Record<string, string>>) {
  return Promise.all([
    run(process.execPath, [RUN_JS, ...words], cliEnvironment(env)),
    run(process.execPath, ['--input-type=module', '-e', ORDINARY, '--', ...words], cliEnvironment(env)),
  ]);
}

describe('check-memory prints and ends the same, started quickly or through oclif', () => {
  test.each<[exitCode: number, words: readonly string[], env?: Readonly<Record<string, string>>]>([
    [0, [MODEL, ...MACHINE]],
    [0, [MODEL, ...MACHINE, '--json', '--print', 'llama-server']],
    [0, [MODEL, ...MACHINE, '--table', '--ctx-size=256', '--no-mmap', '--mmap']],
    [1, ['qwen-coder-32b', ...MACHINE]],
    [1, [MODEL, ...MACHINE, '--memory-budget', '100Mi', '--json']],
    [0, [MODEL, ...MACHINE, '--memory-budget', '100Mi', '--memory-check', 'warn']],
    [
      1,
      ['qwen-coder-32b'],
      { LLMKUBE_ACCELERATOR: 'metal', LLMKUBE_SYSTEM_MEMORY: '32Gi', LLMKUBE_IN_USE: '3.4Gi', LLMKUBE_OFFLINE: 'on' },
    ],
    [2, [MODEL, ...MACHINE, '--contxt', '4096']],
    [2, [MODEL, ...MACHINE, '--ctx-size', 'many', '--json']],
    [2, [MODEL, 'another', ...MACHINE]],
    [2, []],
    [2, [MODEL, ...MACHINE], { LLMKUBE_MMAP: 'perhaps' }],
    [2, ['qwen-coder-23b', ...MACHINE]],
    [3, ['./no-such-file.gguf', ...MACHINE]],
  ])('%d: %j', async (exitCode, words, env = {}) => {
    const [quick, ordinary] = await bothWays(['check-memory', ...words], env);
    expect(quick).toEqual(ordinary);
    expect(quick.exitCode).toBe(exitCode);
  });
});

describe('agent run ends the same, started quickly or through oclif', () => {
  test.each<[exitCode: number, words: readonly string[], env?: Readonly<Record<string, string>>]>([
    [2, ['--memory-fraction', '7']],
    [2, ['--port', 'many']],
    [2, ['--acelerator', 'cpu']],
    [2, [], { LLMKUBE_AGENT_MEMORY_CHECK_MODE: 'perhaps' }],
    [3, ['--llama-server', '/no/such/program']],
  ])('%d: %j', async (exitCode, words, env = {}) => {
    const [quick, ordinary] = await bothWays(['agent', 'run', ...words], env);
    expect(quick).toEqual(ordinary);
    expect(quick.exitCode).toBe(exitCode);
  });
});
