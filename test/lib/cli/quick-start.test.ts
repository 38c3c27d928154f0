import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The ordinary start of a command: oclif finds it, its plugins and hooks. Each has a cache of its own, empty at first. */
const ORDINARY = `
import { execute } from '@oclif/core';
await execute({ dir: ${JSON.stringify(ROOT)}, args: process.argv.slice(1) });
`;
const FOLDER = mkdtempSync(join(tmpdir(), 'llmkube-quick-'));
const MODEL = join(FOLDER, 'tiny.gguf');
const CATALOG = join(FOLDER, 'catalog.yaml');
/** Nobody listens there. */
const KUBECONFIG = join(FOLDER, 'kubeconfig');
const MACHINE = ['--offline', '--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi'];

beforeAll(() => {
  writeTinyModel(MODEL);
  writeFileSync(CATALOG, `models:\n  tiny: { name: Tiny, size: 1B, quantization: F32, source: ${MODEL} }\n`);
  const cluster = { name: 'here', cluster: { server: 'http://127.0.0.1:9' } };
  const context = { name: 'here', context: { cluster: 'here', user: 'me' } };
  const users = [{ name: 'me', user: {} }];
  const config = { 'current-context': 'here', clusters: [cluster], contexts: [context], users };
  writeFileSync(KUBECONFIG, JSON.stringify(config));
});

describe('a command prints and ends the same, started quickly or through oclif', () => {
  test.each<[exitCode: number, words: readonly string[], env?: Readonly<Record<string, string>>]>([
    [0, ['check-memory', MODEL, ...MACHINE]],
    [0, ['check-memory', MODEL, ...MACHINE, '--json', '--print', 'llama-server']],
    [0, ['check-memory', MODEL, ...MACHINE, '--table', '--ctx-size=256', '--no-mmap', '--mmap']],
    [1, ['check-memory', 'qwen-coder-32b', ...MACHINE]],
    [1, ['check-memory', MODEL, ...MACHINE, '--memory-budget', '100Mi', '--json']],
    [0, ['check-memory', MODEL, ...MACHINE, '--memory-budget', '100Mi', '--memory-check', 'warn']],
    [
      1,
      ['check-memory', 'qwen-coder-32b'],
      { LLMKUBE_ACCELERATOR: 'metal', LLMKUBE_SYSTEM_MEMORY: '32Gi', LLMKUBE_IN_USE: '3.4Gi', LLMKUBE_OFFLINE: 'on' },
    ],
    [2, ['check-memory', MODEL, ...MACHINE, '--contxt', '4096']],
    [2, ['check-memory', MODEL, ...MACHINE, '--ctx-size', 'many', '--json']],
    [2, ['check-memory', MODEL, 'another', ...MACHINE]],
    [2, ['check-memory']],
    [2, ['check-memory', MODEL, ...MACHINE], { LLMKUBE_MMAP: 'perhaps' }],
    [2, ['check-memory', 'qwen-coder-23b', ...MACHINE]],
    [0, ['check-memory', 'tiny', '--catalog', CATALOG, ...MACHINE]],
    [4, ['check-memory', MODEL, '--cluster', '--kubeconfig', KUBECONFIG]],
    [3, ['check-memory', './no-such-file.gguf', ...MACHINE]],
    [0, ['catalog', 'list']],
    [0, ['catalog', 'info', 'qwen-coder-32b', '--json']],
    [0, ['compare', MODEL, 'qwen-coder-7b', MODEL, ...MACHINE]],
    [2, ['compare', MODEL, ...MACHINE]],
    [0, ['deploy', 'qwen-coder-7b', ...MACHINE, '--dry-run=client', '--env', 'A=1', '--env', 'B=2', '-o', 'yaml']],
    [2, ['deploy', 'qwen-coder-7b', ...MACHINE, '--source', './a.gguf', '--source-override', './b.gguf']],
    [0, ['fit', MODEL, ...MACHINE, '--print', 'llama-server']],
    [0, ['version', '--json']],
    [4, ['ls', '--kubeconfig', './no-such-file']],
    [0, ['completion', 'bash']],
    [0, ['catalog']],
    [0, ['--version']],
    [127, ['chek-memory']],
    [2, ['agent', 'run', '--memory-fraction', '7']],
    [2, ['agent', 'run', '--port', 'many']],
    [2, ['agent', 'run', '--acelerator', 'cpu']],
    [2, ['agent', 'run'], { LLMKUBE_AGENT_MEMORY_CHECK_MODE: 'perhaps' }],
    [3, ['agent', 'run', '--llama-server', '/no/such/program']],
  ])('%d: %j', async (exitCode, words, env = {}) => {
    const [quick, ordinary] = await Promise.all([
      run(process.execPath, [RUN_JS, ...words], cliEnvironment(env)),
      run(process.execPath, ['--input-type=module', '-e', ORDINARY, '--', ...words], cliEnvironment(env)),
    ]);
    expect(quick).toEqual(ordinary);
    expect(quick.exitCode).toBe(exitCode);
  });
});
