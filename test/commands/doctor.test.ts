import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

async function schemaErrors(name: string, json: unknown) {
  const file = new URL(`../../schemas/${name}.schema.json`, import.meta.url);
  const validate = new Ajv({ strict: false }).compile(JSON.parse(await readFile(file, 'utf8')) as object);
  return validate(json) ? [] : validate.errors;
}

/** A machine that has such an nvidia-smi. */
async function withNvidia(rows: string) {
  const { path, remove } = await temporaryFolder();
  await writeFile(join(path, 'nvidia-smi'), `#!/bin/sh\nprintf '%s\\n' '${rows}'\n`);
  await chmod(join(path, 'nvidia-smi'), 0o755);
  return { env: { PATH: `${path}${delimiter}${process.env.PATH ?? ''}` }, remove };
}

const RTX = '24576, 1024, GPU-aaaa-1, Disabled, NVIDIA GeForce RTX 4090, 23552';

describe('doctor', () => {
  test('tells as data what its schema says, and nothing secret', async () => {
    const env = { HTTPS_PROXY: 'http://user:hunter2@proxy.example:3128', HF_TOKEN: 'hf_secret', LLMKUBE_OFFLINE: '1' };
    const { stdout, stderr, exitCode } = await runCli(['doctor', '--json'], env);
    const json = JSON.parse(stdout) as { environment: Record<string, string>; memory: { totalBytes: number } };
    expect(await schemaErrors('doctor', json)).toEqual([]);
    expect(json.environment).toMatchObject({
      HTTPS_PROXY: 'proxy.example:3128',
      HF_TOKEN: 'set',
      LLMKUBE_OFFLINE: 'set',
    });
    expect(stdout).not.toMatch(/hunter2|hf_secret|user:/);
    expect(json.memory.totalBytes).toBeGreaterThan(2 ** 29);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  test.each([60, 80, 120])('is one page of %i columns in which no word is broken', async (width) => {
    const { stdout } = await runCli(['doctor'], { COLUMNS: String(width) });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(50);
    for (const line of lines) expect(line.length <= width || !line.trim().slice(13).includes(' ')).toBe(true);
    expect(stdout).toMatch(/^memory +\S+ of \S+ in use/m);
    expect(stdout).toMatch(/^llama-server +\S/m);
  });
});

test('version says those of the program, of Node, and of the newest llama.cpp', async () => {
  const { stdout } = await runCli(['version']);
  expect(stdout).toMatch(/^llmkube \d+\.\d+\.\d+, Node v\d+\S*, llama\.cpp v\d+\.\d+\.\d+\n$/);
  const { stdout: json } = await runCli(['version', '--json']);
  expect(await schemaErrors('version', JSON.parse(json))).toEqual([]);
});

describe('the GPU of this machine', () => {
  onLinux('is found, said, and what a launch is for', async () => {
    const { env, remove } = await withNvidia(RTX);
    const args = ['check-memory', 'phi-4-mini', '--offline'];
    const { stdout } = await runCli([...args, '--json'], env);
    const json = JSON.parse(stdout) as {
      launch: { accelerator: string };
      warnings: string[];
      limits: { name: string }[];
    };
    expect(json.launch.accelerator).toBe('cuda');
    expect(json.limits.map(({ name }) => name).sort()).toEqual(['gpu', 'memory']);
    expect(json.warnings).toContain(
      'NVIDIA GeForce RTX 4090 found (nvidia-smi), so the launch is for cuda; --accelerator cpu counts without',
    );
    const { stdout: doctor } = await runCli(['doctor'], env);
    expect(doctor).toContain('cuda (NVIDIA GeForce RTX 4090; by nvidia-smi)');
    const cpu = await runCli([...args, '--accelerator', 'cpu', '--json'], env);
    expect(JSON.parse(cpu.stdout)).toMatchObject({ launch: { accelerator: 'cpu' } });
    await remove();
  });

  onLinux('is not taken where it does not tell its memory, nor for another machine', async () => {
    const { env, remove } = await withNvidia('[N/A], [N/A], GPU-aaaa-1, Disabled, NVIDIA Mystery');
    const { stdout } = await runCli(['check-memory', 'phi-4-mini', '--offline', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ launch: { accelerator: 'cpu' } });
    await remove();
    const known = await withNvidia(RTX);
    const other = await runCli(
      ['check-memory', 'phi-4-mini', '--system-memory', '64Gi', '--offline', '--json'],
      known.env,
    );
    expect(JSON.parse(other.stdout)).toMatchObject({ launch: { accelerator: 'cpu' } });
    await known.remove();
  });
});
