import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../oracle/cases.js';
import { readProfile, writeProfile } from '../support/models/profile.js';
import { askCli } from '../support/cli-session.js';
import { temporaryFolder } from '../support/sparse-file.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi', '-c', '8192', '--offline'];

interface Answer {
  readonly error?: { readonly code: string };
  readonly models: readonly { readonly verdict: string; readonly error?: { readonly message: string } }[];
}

describe('an option that llama.cpp refuses', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let lora: string[];

  const answer = async (...words: string[]) => {
    const { stdout, exitCode } = await askCli([...words, ...MAC, '--json']);
    return { json: JSON.parse(stdout) as Answer, exitCode };
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const path = join(folder.path, 'lora.gguf');
    await writeProfile(readProfile(join(PROFILES, '../drafts/profiles/lora-llama-3.1-8b-r16-all.F16.json')), path);
    lora = ['--lora', path];
  });

  afterAll(() => folder.remove());

  test('for one of several models is in its column, and the others are compared', async () => {
    const { json, exitCode } = await answer('compare', 'llama-3.2-3b', 'llama-3.1-8b', ...lora);
    expect(json.models.map(({ verdict }) => verdict)).toEqual(['unknown', 'fits']);
    expect(json.models[0]?.error?.message).toContain('llama.cpp refuses this adapter');
    expect(exitCode).toBe(3);
  });

  test('for one of several models is said of each version of llama.cpp', async () => {
    const models = ['llama-3.2-3b', 'llama-3.1-8b'];
    const { json, exitCode } = await answer('compare', ...models, '--llama-cpp', 'v0.5.0,b11434', ...lora);
    expect(json.models.map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown', 'fits', 'fits']);
    expect(exitCode).toBe(3);
  });

  test('for some models of a catalogue is said with them, and the others are checked', async () => {
    const { json, exitCode } = await answer('catalog', 'check', ...lora);
    const verdicts = new Set(json.models.map(({ verdict }) => verdict));
    expect([...verdicts].sort()).toEqual(['fits', 'unknown']);
    expect(exitCode).toBe(3);
  });

  test('for all of them ends it as a mistake of the command line', async () => {
    const words = ['--cache-type-v', 'q8_0', '--no-flash-attn'];
    for (const command of [
      ['compare', 'llama-3.2-3b', 'phi-4'],
      ['catalog', 'check'],
    ]) {
      const { json, exitCode } = await answer(...command, ...words);
      expect([json.error?.code, exitCode]).toEqual(['LAUNCH_QUANTIZED_V_NEEDS_FLASH_ATTN', 2]);
    }
  });
});

test('of a model that cannot be checked the largest context is not known, and not none', async () => {
  const { stdout, exitCode } = await askCli([
    'compare',
    'phi-4',
    './not-there.gguf',
    'llama-3.3-70b',
    ...MAC,
    '--system-memory',
    '24Gi',
  ]);
  expect(stdout).toMatch(/^verdict +tight +unknown +does not fit$/m);
  expect(stdout).toMatch(/^largest ctx +\d+ +- +none$/m);
  expect(exitCode).toBe(3);
});
