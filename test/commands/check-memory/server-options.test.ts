import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

interface Part {
  readonly name: string;
  readonly device: string;
  readonly bytes: number;
}

interface Checked {
  readonly verdict: string;
  readonly launch: { readonly nCtx?: number; readonly nUbatch?: number };
  readonly estimate: { readonly parts: readonly Part[] } | null;
  readonly error?: { readonly code: string };
}

let folder: { path: string; remove: () => Promise<void> };
let mixture: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  mixture = join(folder.path, 'mixture.gguf');
  const { header, dataBytes } = buildGguf(profileSpec(readProfile(join(PROFILES, 'qwen3-30b-a3b.Q4_K_M.json'))));
  await writeSparseFile(mixture, header, header.length + dataBytes);
});
afterAll(() => folder.remove());

const CARD = ['--accelerator', 'cuda', '--gpu-memory', '24Gi', '--system-memory', '64Gi', '--in-use', '0'];
const MAC = ['--accelerator', 'metal', '--system-memory', '512Gi', '--in-use', '0'];

async function check(model: string, machine: readonly string[], options: string) {
  const args = ['check-memory', model, ...machine, '--offline', '--json', '--extra-args', options];
  const { stdout, exitCode } = await runCli(args);
  return { ...(JSON.parse(stdout) as Checked), exitCode };
}

const parts = async (machine: readonly string[], options: string): Promise<readonly Part[] | undefined> =>
  (await check(mixture, machine, options)).estimate?.parts;

describe('options of llama-server mean what llama-server makes of them', () => {
  test.each([
    ['--cpu-moe --n-cpu-moe 4', '--cpu-moe'],
    ['-ncmoe 4 -cmoe', '--cpu-moe'],
    ['--n-cpu-moe 20 --n-cpu-moe 4', '--n-cpu-moe 20'],
    ['-ot exps=CPU --n-cpu-moe 2', '--cpu-moe'],
  ])('experts that are kept on the CPU add up: %s is %s', async (options, same) => {
    const launch = '-c 8192 -ngl 99';
    expect(await parts(CARD, `${launch} ${options}`)).toEqual(await parts(CARD, `${launch} ${same}`));
  });

  test.each(['-ot exps=CPU', '-ot ffn_(up|down|gate)_exps=CPU', '-ncmoe 48'])(
    'what is moved to the CPU is copied there where both share a memory, too: %s',
    async (options) => {
      expect(await parts(MAC, `-c 8192 ${options}`)).toEqual(await parts(MAC, '-c 8192 --cpu-moe'));
    },
  );

  test.each(['-ub 0', '-ub 4096'])('no ubatch, or one above the batch, is the batch: %s', async (options) => {
    expect(await parts(MAC, `-c 4096 ${options}`)).toEqual(await parts(MAC, '-c 4096 -ub 2048'));
  });

  test.each(['--gpt-oss-20b-default', '--embd-gemma-default', '--fim-qwen-7b-default', '--vision-gemma-4b-default'])(
    'a preset loads another model, so nothing is said to fit: %s',
    async (options) => {
      const { exitCode, verdict, error } = await check('llama-3.2-3b', MAC, options);
      expect([exitCode, verdict, error?.code]).toEqual([3, 'unknown', 'OPTION_NOT_COUNTED']);
    },
  );

  test.each([
    ['--override-kv llama.context_length=int:262144', 262144],
    ['--override-kv llama.context_length=int:16384,tokenizer.ggml.add_bos_token=bool:false', 16384],
  ])('a header’s value that is overridden is the one that counts: %s', async (options, trained) => {
    const { launch } = await check('llama-3.2-3b', MAC, `-c 0 -np 1 ${options}`);
    expect(launch.nCtx).toBe(trained);
  });

  test.each(['-c -1', '-b -1', '-ub -5', '-np 0', '-b 0'])(
    'numbers that llama-server takes for others are refused: %s',
    async (options) => {
      const { stderr, exitCode } = await runCli([
        'check-memory',
        'llama-3.2-3b',
        ...MAC,
        '--offline',
        '--extra-args',
        options,
      ]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/^Error: llama-server's -/);
    },
  );
});
