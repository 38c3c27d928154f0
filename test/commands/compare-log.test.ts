import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROFILES } from '../oracle/cases.js';
import { readProfile, writeProfile } from '../support/models/profile.js';
import { askCli } from '../support/cli-session.js';
import { cliEnvironment, RUN_JS } from '../support/run-cli.js';

const LOG = fileURLToPath(new URL('../fixtures/logs/cuda-two-gpus.log', import.meta.url));
const ONE_GPU = `load_tensors: offloaded 23/23 layers to GPU
load_tensors:  MTL0_Mapped model buffer size =   636.18 MiB
load_tensors:   CPU_Mapped model buffer size =    35.16 MiB
llama_kv_cache:       MTL0 KV buffer size =    44.00 MiB
`;
const folder = mkdtempSync(join(tmpdir(), 'llmkube-log-'));
const model = join(folder, 'tiny.gguf');

beforeAll(() => writeProfile(readProfile(join(PROFILES, 'tinyllama-1.1b.Q4_K_M.json')), model));

describe('llmkube compare-log', () => {
  test('finds every buffer on two GPUs and the host equal', async () => {
    const { stdout, stderr, exitCode } = await askCli(['compare-log', LOG, model]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/weights, copied +GPU 1 +302\.51 MiB +302\.51 MiB +equal/);
    expect(stdout).toContain('All 9 are equal to the last digit');
  });

  test('says which are off and by how much, and ends with 1', async () => {
    const changed = join(folder, 'changed.log');
    writeFileSync(
      changed,
      readFileSync(LOG, 'utf8').replace('CUDA1 KV buffer size =    80.00', 'CUDA1 KV buffer size =    81.50'),
    );
    const { stdout, exitCode } = await askCli(['compare-log', changed, model]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/KV cache +GPU 1 +81\.50 MiB +80\.00 MiB +−1\.50 MiB/);
    expect(stdout).toContain('1 of 9 differ: 1.50 MiB too little.');
  });

  test('estimates for the build that the log names, unless another is named, and says which', async () => {
    const built = join(folder, 'built.log');
    writeFileSync(built, `srv init: build_info: b11434-6471e3c0\n${readFileSync(LOG, 'utf8')}`);
    const own = await askCli(['compare-log', built, model], { LLMKUBE_LLAMA_CPP: 'auto' });
    expect(own.stdout).toMatch(/\nEstimated for llama\.cpp b11434\.\n$/);
    const named = await askCli(['compare-log', built, model, '--llama-cpp', 'v0.5.0', '--json']);
    expect(JSON.parse(named.stdout)).toMatchObject({ llamaCpp: 'v0.5.0', launch: { llamaCpp: 'v0.5.0' } });
  });

  test('prefers the build that the log names to the llama-server of this machine', async () => {
    const built = join(folder, 'built.log');
    writeFileSync(built, `srv init: build_info: b11434-6471e3c0\n${readFileSync(LOG, 'utf8')}`);
    const server = join(folder, 'llama-server');
    writeFileSync(server, '#!/bin/sh\necho "version: 9607 (6471e3c0)"\n', { mode: 0o755 });
    const { stdout } = await askCli(['compare-log', built, model], {
      LLMKUBE_LLAMA_CPP: 'auto',
      LLMKUBE_LLAMA_SERVER: server,
    });
    expect(stdout).toContain('Estimated for llama.cpp b11434.');
  });

  test('reads the one GPU of a Mac in logs of builds that did not number it', async () => {
    const numbered = join(folder, 'numbered.log');
    writeFileSync(numbered, ONE_GPU);
    const older = join(folder, 'older.log');
    writeFileSync(older, ONE_GPU.replaceAll('MTL0', 'Metal'));
    const [now, before] = await Promise.all(
      [numbered, older].map((log) => askCli(['compare-log', log, model, '--json'])),
    );
    const rowsOf = (stdout = ''): unknown => (JSON.parse(stdout) as { buffers: unknown }).buffers;
    expect(rowsOf(before?.stdout)).toEqual(rowsOf(now?.stdout));
    expect(before?.stdout).toContain('"device": "gpu"');
  });

  test('takes from flags what the log does not tell', async () => {
    const args = ['compare-log', LOG, model, '--tensor-split', '1,3', '--json'];
    const { stdout, exitCode } = await askCli(args);
    expect(exitCode).toBe(1);
    const { parts } = JSON.parse(stdout) as { parts: { name: string; gpu?: number; differenceBytes: number }[] };
    // 6 of 22 layers' caches on the first GPU instead of 12, of 8 MiB each
    const cache = parts
      .filter(({ name }) => name === 'kv-cache')
      .map(({ gpu, differenceBytes }) => [gpu, differenceBytes]);
    expect(cache).toEqual([
      [0, -48 * 2 ** 20],
      [1, 48 * 2 ** 20],
    ]);
  });

  test('is read from standard input, and no pipe is waited for as a file', async () => {
    const words = [RUN_JS, 'compare-log', '-', model];
    const options = { env: cliEnvironment(), input: readFileSync(LOG), encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, words, options)).toContain('All 9 are equal');
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { stderr, exitCode } = await askCli(['compare-log', pipe, model]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('not a file but a device or a pipe')]);
  });

  test.each([
    ['a file that is not there', ['missing.log'], 'LOG_NOT_READABLE'],
    ['a file without buffers', [RUN_JS], 'LOG_WITHOUT_BUFFERS'],
  ])('refuses %s', async (_what, args, code) => {
    const { stdout, exitCode } = await askCli(['compare-log', ...args, '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
  });
});
