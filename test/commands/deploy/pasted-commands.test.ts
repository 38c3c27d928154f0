import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readServerCommand } from '../../../src/lib/runtime/server-command.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

const NAMES = [
  'my models/tiny model.gguf',
  `it's $HOME/a"b\`c.gguf`,
  'ünïcode (копия).gguf',
  '-m.gguf',
  '…….gguf',
  'a.-b..c_.Q4_K_M.gguf',
  'esc\u001b[2Jape.gguf',
  'hf_downloads/tiny.gguf',
];
const HERE = ['--accelerator', 'cpu', '-c', '512'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of NAMES) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    await writeTinyModel(join(folder.path, name));
  }
});
afterAll(() => folder.remove());

/** What a shell makes of a line that was printed. */
function pasted(command: string): string[] {
  const script = `llmkube() { printf '%s\\0' "$@"; }\nllama-server() { printf '%s\\0' "$@"; }\n${command}\n`;
  return execFileSync('bash', [], { input: script, encoding: 'utf8' }).split('\0').slice(0, -1);
}

async function printed(kind: string, path: string) {
  const { stdout } = await runCli(['check-memory', path, ...HERE, '--print', kind, '--json']);
  return JSON.parse(stdout) as { command: string | null; requirementBytes: number };
}

describe.each(NAMES)('the command that is printed for %j, pasted into a shell,', (name) => {
  test('is taken by deploy, for which it needs the same', async () => {
    const path = join(folder.path, name);
    const { command, requirementBytes } = await printed('deploy', path);
    const words = pasted(command ?? '');
    expect(words.slice(0, 2)).toEqual(['deploy', path]);
    const { stdout, stderr, exitCode } = await runCli([...words, '--dry-run', 'client', '--json']);
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ requirementBytes });
  });

  test('starts a llama-server with that file, by a guard or not', async () => {
    const path = join(folder.path, name);
    const own = pasted((await printed('llama-server', path)).command ?? '');
    const guarded = pasted((await printed('exec', path)).command ?? '');
    expect(guarded.slice(guarded.indexOf('--') + 2)).toEqual(own);
    expect(readServerCommand(own, {}, '/')).toMatchObject({ source: path, patch: { ctxSize: 512 } });
  });
});

test('where no deploy can carry a path, none is printed, and it is said why', async () => {
  const path = join(folder.path, 'a b%20c.gguf');
  await writeTinyModel(path);
  const { stdout, stderr } = await runCli(['fit', path, '--accelerator', 'cpu']);
  expect(stdout).toMatch(/^llama-server --model '/);
  expect(stderr).toContain('Note: no deploy can carry this launch: ');
  const { exitCode } = await runCli(['deploy', path, ...HERE, '--dry-run', 'client']);
  expect(exitCode).toBe(2);
});

test('a context beyond what the LLMKube API takes is printed for llama-server alone', async () => {
  const path = join(folder.path, NAMES[0] ?? '');
  const words = ['--accelerator', 'cpu', '-c', '3000000', '--memory-budget', '9Ti', '--print'];
  const { stderr } = await runCli(['check-memory', path, ...words, 'deploy']);
  expect(stderr).toContain('Note: no command: no deploy can carry this launch: --ctx-size 3000000 is not allowed');
});
