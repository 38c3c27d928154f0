import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { askCli } from '../../support/cli-session.js';

describe('catalog', () => {
  test('list has a line for every model', async () => {
    const { stdout, stderr, exitCode } = await askCli(['catalog', 'list']);
    expect(stdout).toMatch(/^ID +SIZE +QUANT +MEMORY +NAME +ALIASES$/m);
    expect(stdout).toMatch(
      /^qwen-2\.5-coder-32b +32B +Q4_K_M +21-22GB +Qwen2\.5 Coder 32B Instruct +.*qwen-coder-32b/m,
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('list is sorted by id, and by the amount of numbers in it', async () => {
    const { stdout } = await askCli(['catalog', 'list', '--json']);
    const ids = (JSON.parse(stdout) as { models: { id: string }[] }).models.map(({ id }) => id);
    expect(ids.indexOf('gpt-oss-20b')).toBeLessThan(ids.indexOf('gpt-oss-120b'));
    expect(ids.indexOf('gemma-3-4b')).toBeLessThan(ids.indexOf('gpt-oss-20b'));
    expect(ids.indexOf('llama-3.1-8b')).toBeLessThan(ids.indexOf('llama-3.2-3b'));
  });

  test('info shows one, by alias too', async () => {
    const { stdout, exitCode } = await askCli(['catalog', 'info', 'qwen-coder-32b', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'qwen-2.5-coder-32b', context_size: 8192, gpu_layers: -1 });
    expect(exitCode).toBe(0);
  });

  test('info names the projector that is loaded with a model, and null where there is none', async () => {
    const { stdout: json } = await askCli(['catalog', 'info', 'gemma-3-4b', '--json']);
    const { mmproj, draft } = JSON.parse(json) as { mmproj: string; draft: null };
    expect(mmproj).toMatch(/\/mmproj-google_gemma-3-4b-it-f16\.gguf$/);
    expect(draft).toBeNull();
    const { stdout } = await askCli(['catalog', 'info', 'gemma-3-4b']);
    expect(stdout).toContain(`  projector       ${mmproj}\n`);
  });

  test('info of an unknown id says which are near', async () => {
    const { stdout, stderr, exitCode } = await askCli(['catalog', 'info', 'gpt-oss-21b']);
    expect(stderr).toBe(
      'Error: there is no model "gpt-oss-21b" in the catalogue\n' +
        '  Suggestion: did you mean gpt-oss-20b, gpt-oss-120b?\n' +
        '  Suggestion: llmkube catalog list shows them all; a file is named by its path, a URL or hf:OWNER/REPO\n',
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });
});

describe('a command that there is not', () => {
  test.each([
    [['chek-memory', 'phi-4'], 'Error: there is no command chek-memory\n  Suggestion: did you mean check-memory?'],
    [['catalog', 'infos', 'phi-4'], 'did you mean catalog info'],
    [['./model.gguf'], 'did you mean check-memory ./model.gguf?'],
    [['nothing-like-it'], 'llmkube --help shows them all'],
    [['-v'], 'did you mean --version?'],
    [['-x'], 'llmkube --help shows them all'],
    [['lst'], 'did you mean list or ls or'],
  ])('%j is told from the commands that there are', async (args, told) => {
    const { stdout, stderr, exitCode } = await askCli(args);
    expect(stderr).toContain(told);
    expect([stdout, exitCode]).toEqual(['', 127]);
  });
});

describe('help', () => {
  test.each([[['--help']], [['check-memory', '--help']], [['help', 'catalog']]])('%j exits with 0', async (args) => {
    const { stdout, exitCode } = await askCli(args);
    expect(stdout).toContain('USAGE');
    expect(exitCode).toBe(0);
  });

  test('breaks no line that oclif has not broken', async () => {
    const { stdout } = await askCli(['check-memory', '--help']);
    expect(stdout).toMatch(/holds it\s+against the\s/);
    const [description = ''] = /Reads nothing but.*?\n\n/s.exec(stdout) ?? [];
    const lines = description.trim().split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(1);
    expect(Math.min(...lines.map(({ length }) => length))).toBeGreaterThan(60);
  });

  test('is the reference in docs, too', async () => {
    const script = fileURLToPath(new URL('../../../scripts/write-reference.mjs', import.meta.url));
    await promisify(execFile)(process.execPath, [script, '--check']);
  });

  test('names the environment variable of every flag that changes a check', async () => {
    const { stdout } = await askCli(['check-memory', '--help']);
    for (const variable of ['ACCELERATOR', 'CTX_SIZE', 'MEMORY_BUDGET', 'SYSTEM_MEMORY', 'MEMORY_CHECK', 'OFFLINE']) {
      expect(stdout).toContain(`LLMKUBE_${variable}`);
    }
  });
});
