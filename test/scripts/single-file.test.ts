import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliResult, cliEnvironment, run, runCli } from '../support/run-cli.js';

/** 100 MB are written, and npx may have to fetch something. */
jest.setTimeout(180_000);

const BUILD = fileURLToPath(new URL('../../scripts/single-file/build.mjs', import.meta.url));
const CANNOT_BE_MADE = 3;
const MAC = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '0'];
const CHECK = ['check-memory', 'qwen-coder-32b', '--offline', ...MAC];

describe('the single file', () => {
  let folder: string;
  let build: CliResult;
  const alone = (...args: string[]) => run(join(folder, 'llmkube'), args, { ...cliEnvironment(), PATH: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llmkube-single-file-'));
    build = await run(process.execPath, [BUILD, join(folder, 'llmkube')], process.env);
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Where its parts cannot be had, that must be what the build has said. */
  const whenMade = (check: () => Promise<void>) => async () => {
    if (build.exitCode !== CANNOT_BE_MADE) return check();
    expect(build.stderr).toMatch(/^Error: no single file can be made here: .+\n$/);
    console.warn(`skipped: ${build.stderr}`);
  };

  test(
    'answers as the package does',
    whenMade(async () => {
      expect(build.stderr).toBe('');
      expect(await alone(...CHECK)).toEqual(await runCli(CHECK));
    }),
  );

  test(
    'writes the page',
    whenMade(async () => {
      const page = join(folder, 'memory.html');
      expect(await alone(...CHECK, '--html', page)).toMatchObject({ exitCode: 0 });
      expect(await readFile(page, 'utf8')).toContain('qwen-coder-32b');
    }),
  );

  test(
    'says what a cluster lacks, whose client is inside',
    whenMade(async () => {
      const { stderr, exitCode } = await alone(...CHECK.slice(0, 3), '--cluster');
      expect(stderr).toMatch(/^Error: .*(kubeconfig|cluster)/i);
      expect(exitCode).toBe(4);
    }),
  );

  test(
    'says that it holds one command',
    whenMade(async () => {
      const { stderr, exitCode } = await alone('deploy', 'phi-4');
      expect(stderr).toMatch(/^Error: this file holds check-memory alone\n/);
      expect(exitCode).toBe(2);
      expect(await alone('check-memory', '--help')).toMatchObject({ exitCode: 0, stderr: '' });
    }),
  );
});
