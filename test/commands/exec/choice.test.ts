import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROFILES } from '../../oracle/cases.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { cliEnvironment, run, RUN_JS, type CliResult } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const CARD = ['--accelerator', 'cuda', '--gpu-memory', '8Gi', '--memory-budget', '100Gi'];
const ROOMY_CARD = ['--accelerator', 'cuda', '--gpu-memory', '26Gi', '--memory-budget', '100Gi'];

let folder: { path: string; remove: () => Promise<void> };
let env: NodeJS.ProcessEnv;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  env = cliEnvironment({ LLMKUBE_STATE_DIR: at('state'), LLMKUBE_CACHE_DIR: at('cache') });
  await writeProfile(readProfile(join(PROFILES, 'llama-3.1-8b.Q5_K_M.json')), at('llama.gguf'));
  writeFileSync(at('llama-server'), `#!/bin/sh\necho "$@" > ${at('words')}\n`);
  chmodSync(at('llama-server'), 0o755);
});
afterAll(() => folder.remove());

const llmkube = (...words: readonly string[]): Promise<CliResult> => run(process.execPath, [RUN_JS, ...words], env);
const model = (): string[] => ['-m', at('llama.gguf')];
const told = (): string => readFileSync(at('words'), 'utf8').trim();

describe('a launch that leaves its context to llama-server', () => {
  test('is told what was judged, so that it chooses nothing else by the time it starts', async () => {
    const checked = await llmkube('check-memory', at('llama.gguf'), ...CARD, '--json');
    const { choice } = JSON.parse(checked.stdout) as { choice: { ctxSize: number } };
    expect(choice.ctxSize).toBeGreaterThan(4096);
    const { exitCode, stderr } = await llmkube('exec', ...CARD, '--', at('llama-server'), ...model());
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`--ctx-size ${choice.ctxSize} by itself`)]);
    expect(told()).toBe(`${model().join(' ')} --ctx-size ${choice.ctxSize}`);
  });

  test('one that names context and layers is left as it is', async () => {
    const words = [...model(), '-c', '4096', '-ngl', 'all'];
    expect(await llmkube('exec', ...CARD, '--', at('llama-server'), ...words)).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(told()).toBe(words.join(' '));
  });
});

/** A machine of so many cards, each with 5 GiB free. */
function withCards(count: number): NodeJS.ProcessEnv {
  const rows = Array.from({ length: count }, (_, i) => `8192, 3072, GPU-${i}, Disabled, NVIDIA GeForce RTX 4060, 5120`);
  writeFileSync(at('nvidia-smi'), `#!/bin/sh\ncase "$1" in --query-gpu*) echo '${rows.join('\n')}' ;; esac\n`);
  chmodSync(at('nvidia-smi'), 0o755);
  return { ...env, PATH: `${folder.path}:${env.PATH}` };
}

describe('layers that were named', () => {
  const launch = (): string[] => ['--', at('llama-server'), ...model(), '-c', '8192', '-ngl', 'all'];
  const exec = (cards: number, ...flags: readonly string[]): Promise<CliResult> =>
    run(process.execPath, [RUN_JS, 'exec', ...flags, '--memory-budget', '100Gi', ...launch()], withCards(cards));

  test('are on all cards, and each card is judged by what it gets', async () => {
    expect(await exec(2, '--accelerator', 'cuda')).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stderr } = await exec(1, '--accelerator', 'cuda');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('insufficient memory')]);
  });

  test('are not judged without the card that nvidia-smi lists', async () => {
    const { exitCode, stderr } = await exec(1);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('--accelerator cuda, or --accelerator cpu')]);
  });
});

test('the figures are for the llama.cpp that the program says it is', async () => {
  const says = (version: string): void =>
    writeFileSync(
      at('llama-server'),
      `#!/bin/sh\nif [ "$1" = --version ]; then echo '${version}' >&2; exit; fi\necho "$@" > ${at('words')}\n`,
    );
  const contextWith = async (version: string): Promise<number> => {
    says(version);
    await llmkube('exec', ...ROOMY_CARD, '--', at('llama-server'), ...model());
    return Number(/--ctx-size (\d+)$/.exec(told())?.[1]);
  };
  // Only around v0.5.0 is the trained context aimed at for each of 4 slots: 131072 × 4, and 24 GiB hold less than that.
  expect(await contextWith('version: 0.5.0 (build 11291, commit abc)')).toBeGreaterThan(131072);
  expect(await contextWith('version: 0.8.0 (build 12032, commit abc)')).toBeNaN();
});
