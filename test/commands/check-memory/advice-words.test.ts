import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { askCli } from '../../support/cli-session.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const MAC = ['--accelerator', 'metal', '--in-use', '4Gi', '--offline', '--system-memory'];
const CARD = [
  '--accelerator',
  'cuda',
  '--in-use',
  '4Gi',
  '--offline',
  '--gpu-memory',
  '24Gi',
  '--system-memory',
  '16Gi',
];

const check = (...words: readonly string[]) => askCli(['check-memory', ...words], { COLUMNS: '120' });

describe('what is advised', () => {
  test('where a graph is too large for llama.cpp makes it small enough', async () => {
    const launch = [
      'phi-4',
      ...MAC,
      '64Gi',
      '--cache-type-k',
      'q8_0',
      '--cache-type-v',
      'q8_0',
      '--llama-cpp',
      'v0.8.0',
    ];
    const { stderr, exitCode } = await check(...launch);
    expect(exitCode).toBe(3);
    // Its slots share one cache already.
    expect(stderr).not.toContain('--kv-unified');
    const [, advised = ''] = /^ {2}Suggestion: use (.*)$/m.exec(stderr) ?? [];
    const ways = advised.split(' or ');
    expect(ways.length).toBeGreaterThan(0);
    for (const flags of ways) expect((await check(...launch, ...flags.split(' '))).exitCode).toBe(0);
  });

  test.each([
    ['--cpu-moe', '--cpu-moe'],
    ['--n-cpu-moe', '--n-cpu-moe 40'],
  ])('is to leave %s out where the host is too small and the GPU has room', async (option, typed) => {
    const { stderr, exitCode } = await check('qwen-3-30b-a3b', ...CARD, '--extra-args', typed, '--print', 'deploy');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`(leave out ${option})\n`);
    // No command that keeps what is typed can leave it out.
    expect(stderr).not.toContain('llmkube deploy');
    expect((await check('qwen-3-30b-a3b', ...CARD)).exitCode).toBe(0);
  });

  test('where fewer experts than all fit the GPU, is how many stay on the host', async () => {
    const small = [...CARD, '--gpu-memory', '16Gi', '--system-memory', '24Gi'];
    const { stderr } = await check('qwen-3-30b-a3b', ...small, '--extra-args', '--cpu-moe');
    const [, layers] = /--extra-args "--n-cpu-moe (\d+)" \(leave out --cpu-moe\)/.exec(stderr) ?? [];
    expect(Number(layers)).toBeGreaterThan(0);
    expect((await check('qwen-3-30b-a3b', ...small, '--extra-args', `--n-cpu-moe ${layers}`)).exitCode).toBe(0);
  });

  test('says that the context which it names is the one that llama-server would choose', async () => {
    const { path, remove } = await temporaryFolder();
    const file = join(path, 'qwen-2.5-coder-32b.Q4_K_M.gguf');
    await writeProfile(readProfile(join(PROFILES, 'qwen-2.5-coder-32b.Q4_K_M.json')), file);
    const { stderr } = await check(file, ...MAC, '24Gi', '--gpu-layers', 'all');
    await remove();
    expect(stderr).toMatch(/--ctx-size 4096\n.*; with the 4096 tokens that\s+llama-server would choose here/);
    expect(stderr).toContain('starts all the same, with --ctx-size 4096: ');
  });
});

test('a refusal says how much of the requirement is the projector’s', async () => {
  const { stderr } = await check('gemma-3-27b', ...MAC, '24Gi');
  const without = await check('gemma-3-27b', ...MAC, '24Gi', '--no-mmproj');
  expect(stderr).toMatch(/^ {2}Of the requirement: 9\d\dMB for the projector$/m);
  expect(without.stderr).not.toContain('Of the requirement');
});
